import { type OnProgress, staticPolicy } from '@dpllm/core'
import type { LinearInfo, PrecisionRequest } from '@dpllm/runtime'
import type { BenchModel } from '../bench/bench.js'
import { modelContender } from '../compare/contender.js'
import { interleavedRounds, type Ratio, ratioOf } from '../compare/rounds.js'
import { roundedBits } from './static-bits.js'

export interface OverheadOptions extends PrecisionRequest {
  readonly feedback?: boolean | undefined
  /** Rounds of both; default 7. */
  readonly rounds?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** What deciding bits per token costs. */
export interface SelectorOverhead {
  /** How many times as long decoding takes as with the same bits at every token: 1.01 is an overhead of 1 %. */
  readonly timeRatio: Ratio
  /** Effective bits of both: those of the fixed allocation differ by its rounding to whole bits. */
  readonly dynamicBits: number
  readonly staticBits: number
  /** Tokens decoded in a round. */
  readonly tokens: number
}

/**
 * Decodes the same tokens by turns with decisions and without: each linear then reads the bits that it read in the mean,
 * rounded. DP-LLM (table 4) compares with static bits, too, but holds its thresholds at ±∞; here decisions are real.
 * @param tokens decoded one by one from an empty context
 * @returns undefined for a precision that decides nothing
 * @throws InvalidArgumentError for a precision that the model cannot give
 */
export async function selectorOverhead(
  model: BenchModel & { readonly linears: readonly LinearInfo[] },
  tokens: Uint32Array,
  { rounds, signal, onProgress, ...request }: OverheadOptions,
): Promise<SelectorOverhead | undefined> {
  const { targetBits, precision, method } = request
  const { policy } = model.precision({ targetBits, precision, method })
  if (policy === undefined || policy.estimators.every(({ kind }) => kind === 'none')) return undefined
  const dynamic = modelContender(model, { name: 'dynamic', ...request })
  await dynamic.decode(tokens)
  const bits = roundedBits(model.linears, dynamic.linearBits())
  const fixed = modelContender(model, { name: 'static', policy: staticPolicy(bits) })
  const [dynamicTimes, fixedTimes] = await interleavedRounds([() => dynamic.decode(tokens), () => fixed.decode(tokens)], {
    rounds,
    signal,
    onProgress: onProgress && ((p) => onProgress({ ...p, stage: 'selector overhead' })),
  })
  return {
    timeRatio: ratioOf(dynamicTimes, fixedTimes),
    dynamicBits: dynamic.bitsPerWeight(),
    staticBits: fixed.bitsPerWeight(),
    tokens: tokens.length,
  }
}
