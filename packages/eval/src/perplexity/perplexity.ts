import { DpllmError } from '@dpllm/core'
import type { Protocol } from './chunks.js'
import { type PerplexityModel, type PerplexityOptions, prepareScoring } from './prepare.js'
import { meanOf } from './statistics.js'
import { bitsOfRows, scoringSteps } from './steps.js'

export interface PerplexityResult {
  /** exp of the mean loss of all scored tokens; that is the mean over chunks where these are of equal length. */
  readonly perplexity: number
  /** Standard error of the perplexity: that of the mean loss, times the perplexity. */
  readonly standardError: number
  /** Scored tokens. */
  readonly tokens: number
  readonly chunks: number
  readonly contextLength: number
  readonly protocol: Protocol
  /** Mean bits that the scored positions read, weighted by parameters. */
  readonly effectiveBits: number
  /** Whether feedback has held `effectiveBits` at the target; false where there was nothing to move. */
  readonly feedback: boolean
  /** f32 [tokens]: negative log-likelihood of each scored token, in nats; for `pairedDifference`. */
  readonly nll: Float32Array
  /** Scored tokens of each chunk. */
  readonly chunkTokens: readonly number[]
}

/**
 * Perplexity of a model on a text. A precision applies to every token, as in decoding; prompts' usual exception does not.
 * @param input a text, or its tokens with the beginning token, if the model has one, in front
 * @throws InvalidArgumentError for a text shorter than a chunk or a precision that the model cannot give;
 * DpllmError ERR_DPLLM_NOT_FINITE if a loss is not finite
 */
export async function perplexity(
  model: PerplexityModel,
  input: string | Uint32Array,
  options: PerplexityOptions = {},
): Promise<PerplexityResult> {
  const { signal, onProgress } = options
  const { protocol, contextLength, batchSize, policy, record, chunks } = prepareScoring(model, input, options)
  const losses: Float32Array[] = []
  const chunkTokens: number[] = []
  let bitSum = 0
  using cache = model.createCache(contextLength)
  for (const [index, chunk] of chunks.entries()) {
    let scored = 0
    for (const step of scoringSteps(chunk, batchSize)) {
      signal?.throwIfAborted()
      const { outputs, bits } = await model.run({ ...step, cache, policy, signal })
      const { rows } = step
      if (rows.length === 0) continue
      losses.push(outputs.loss)
      const effectiveBits = model.effectiveBits(bitsOfRows(bits, step.tokens.length, rows), rows.length)
      record?.(effectiveBits, rows.length)
      bitSum += effectiveBits * rows.length
      scored += rows.length
    }
    chunkTokens.push(scored)
    onProgress?.({ stage: 'perplexity', done: (index + 1) * contextLength, total: chunks.length * contextLength, unit: 'tokens' })
  }

  const nll = concatenate(losses)
  const { mean, standardError } = meanOf(nll)
  if (!Number.isFinite(mean)) {
    const at = nll.findIndex((loss) => !Number.isFinite(loss))
    throw new DpllmError('ERR_DPLLM_NOT_FINITE', `the loss of scored token ${at} is ${nll[at]}: the model's activations overflow`)
  }
  const value = Math.exp(mean)
  return {
    perplexity: value,
    standardError: value * standardError,
    tokens: nll.length,
    chunks: chunks.length,
    contextLength,
    protocol,
    effectiveBits: bitSum / nll.length,
    feedback: record !== undefined,
    nll,
    chunkTokens,
  }
}

function concatenate(arrays: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0))
  let at = 0
  for (const array of arrays) {
    out.set(array, at)
    at += array.length
  }
  return out
}
