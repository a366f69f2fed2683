import { type CompiledProgram, type Estimator, type Policy, staticPolicy } from '@dpllm/core'
import { effectiveBits, type LinearInfo } from '@dpllm/runtime'
import { runWindows } from '../run-windows.js'
import { tokensOf } from './select-windows.js'

/** What the select operators saw and decided over all windows. */
export interface Observation {
  /** f32 [tokens] for every linear. */
  readonly estimates: readonly Float32Array[]
  /** Mean over linears and tokens, weighted by parameters. */
  readonly effectiveBits: number
}

/** Tokens of one step; bounds the memory of activations. */
const CHUNK = 128

/**
 * Runs every window through a model's program as it decodes: each token of each window reads the bits that the policy decides.
 * @param onTokens called with the number of tokens done
 */
export async function observe(
  program: Pick<CompiledProgram, 'createCache' | 'run'>,
  linears: readonly LinearInfo[],
  windows: readonly Uint32Array[],
  policy: Policy,
  { signal, onTokens }: { signal?: AbortSignal | undefined; onTokens?: (tokens: number) => void } = {},
): Promise<Observation> {
  const total = tokensOf(windows)
  const estimates = linears.map(() => new Float32Array(total))
  let bits = 0
  // With its logits, as the last block's selects behind its attention run only for what an output needs.
  for await (const { tokens, result, done } of runWindows(program, windows, () => ({ policy }), { chunk: CHUNK, signal })) {
    const T = tokens.length
    linears.forEach((_, i) => {
      estimates[i].set(result.estimates.subarray(i * T, (i + 1) * T), done - T)
    })
    bits += effectiveBits(linears, result.bits, T) * T
    onTokens?.(done)
  }
  return { estimates, effectiveBits: bits / total }
}

/** Estimates of all linears while each reads fixed bits. */
export function watchingPolicy(estimators: readonly Estimator[], bits: readonly number[]): Policy {
  return { estimators, thresholds: staticPolicy(bits).thresholds }
}
