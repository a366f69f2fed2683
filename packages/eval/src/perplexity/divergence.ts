import { DpllmError, InvalidArgumentError } from '@dpllm/core'
import { quantile } from '@dpllm/estimators'
import { logSumExp } from '@dpllm/runtime'
import type { Protocol } from './chunks.js'
import { type PerplexityModel, type PerplexityOptions, prepareScoring } from './prepare.js'
import { type Mean, meanOf } from './statistics.js'
import { bitsOfRows, scoringSteps } from './steps.js'

export type DivergenceModel = PerplexityModel

/** How far a model's predictions are from those of another. */
export interface DivergenceResult {
  /** Σ p_reference (log p_reference − log p) of each scored prediction, in nats. */
  readonly klDivergence: Mean & { readonly median: number; readonly percentile99: number; readonly max: number }
  /** Part of the predictions whose likeliest token is the same. */
  readonly topAgreement: Mean
  readonly perplexity: number
  /** Standard error of the perplexity. */
  readonly standardError: number
  readonly referencePerplexity: number
  /** log of the ratio of both: the mean difference of losses of the same tokens, in nats. */
  readonly logRatio: Mean
  readonly tokens: number
  readonly chunks: number
  readonly contextLength: number
  readonly protocol: Protocol
  /** Mean bits that the model's scored positions read. */
  readonly effectiveBits: number
  readonly feedback: boolean
  /** f32 [tokens]: the model's negative log-likelihood of each scored token, in nats. */
  readonly nll: Float32Array
  /** Scored tokens of each chunk. */
  readonly chunkTokens: readonly number[]
}

/**
 * Compares a model with a reference, usually the unquantised model, on the same text: both run side by side, step by step.
 * The precision is that of the model alone; the reference reads all that is loaded.
 * @throws InvalidArgumentError if both do not have the same vocabulary and tokens; else as `perplexity`
 */
export async function divergence(
  model: DivergenceModel,
  reference: DivergenceModel,
  input: string | Uint32Array,
  options: PerplexityOptions = {},
): Promise<DivergenceResult> {
  const { signal, onProgress } = options
  const scoring = prepareScoring(model, input, options)
  const { protocol, contextLength, batchSize, policy, record, chunks } = scoring
  checkSameTokens(model, reference, input, scoring)
  const found = { kl: [] as number[], agreement: [] as number[], loss: [] as number[], referenceLoss: [] as number[] }
  const chunkTokens: number[] = []
  let bitSum = 0
  using cache = model.createCache(contextLength)
  using referenceCache = reference.createCache(contextLength)
  for (const [index, chunk] of chunks.entries()) {
    const before = found.kl.length
    for (const step of scoringSteps(chunk, batchSize, { outputs: ['logits'] })) {
      signal?.throwIfAborted()
      const wanted = await reference.run({ ...step, cache: referenceCache, signal })
      const { outputs, bits } = await model.run({ ...step, cache, policy, signal })
      const { rows, targets } = step
      if (rows.length === 0) continue
      for (const [i, target] of targets.entries()) {
        const compared = comparePredictions(rowOf(wanted.outputs.logits, i, rows), rowOf(outputs.logits, i, rows), target)
        found.kl.push(compared.kl)
        found.agreement.push(Number(compared.sameTop))
        found.loss.push(compared.loss)
        found.referenceLoss.push(compared.referenceLoss)
      }
      const effectiveBits = model.effectiveBits(bitsOfRows(bits, step.tokens.length, rows), rows.length)
      record?.(effectiveBits, rows.length)
      bitSum += effectiveBits * rows.length
    }
    chunkTokens.push(found.kl.length - before)
    onProgress?.({ stage: 'divergence', done: (index + 1) * contextLength, total: chunks.length * contextLength, unit: 'tokens' })
  }
  const { kl, agreement, loss, referenceLoss } = found
  if (!kl.every(Number.isFinite))
    throw new DpllmError('ERR_DPLLM_NOT_FINITE', 'a divergence is not finite: a token is impossible')
  const { mean, standardError } = meanOf(loss)
  return {
    klDivergence: {
      ...meanOf(kl),
      median: quantile(kl, 0.5),
      percentile99: quantile(kl, 0.99),
      max: kl.reduce((a, b) => Math.max(a, b), 0),
    },
    topAgreement: meanOf(agreement),
    perplexity: Math.exp(mean),
    standardError: Math.exp(mean) * standardError,
    referencePerplexity: Math.exp(meanOf(referenceLoss).mean),
    logRatio: meanOf(loss.map((value, i) => value - referenceLoss[i])),
    tokens: kl.length,
    chunks: chunks.length,
    contextLength,
    protocol,
    effectiveBits: bitSum / kl.length,
    feedback: record !== undefined,
    nll: Float32Array.from(loss),
    chunkTokens,
  }
}

/**
 * Compares two predictions of the same token, in double precision.
 * @param reference, logits f32 [V]
 */
export function comparePredictions(reference: Float32Array, logits: Float32Array, target: number) {
  const [referenceSum, sum] = [logSumExp(reference), logSumExp(logits)]
  let kl = 0
  let [top, referenceTop] = [0, 0]
  for (let v = 0; v < logits.length; v++) {
    const logReference = reference[v] - referenceSum
    // A token that the reference excludes (−∞) adds nothing.
    if (logReference > Number.NEGATIVE_INFINITY) kl += Math.exp(logReference) * (logReference - (logits[v] - sum))
    if (reference[v] > reference[referenceTop]) referenceTop = v
    if (logits[v] > logits[top]) top = v
  }
  return {
    // Rounding may leave equal predictions a little below 0.
    kl: Math.max(kl, 0),
    sameTop: top === referenceTop,
    loss: sum - logits[target],
    referenceLoss: referenceSum - reference[target],
  }
}

function rowOf(logits: Float32Array, i: number, rows: Uint32Array): Float32Array {
  const width = logits.length / rows.length
  return logits.subarray(i * width, (i + 1) * width)
}

function checkSameTokens(
  { config }: DivergenceModel,
  reference: DivergenceModel,
  input: string | Uint32Array,
  { tokens, contextLength }: { readonly tokens: Uint32Array; readonly contextLength: number },
): void {
  const { vocabularySize, contextLength: most } = reference.config
  if (vocabularySize !== config.vocabularySize)
    throw new InvalidArgumentError('reference', `a model with a vocabulary of ${config.vocabularySize}`, vocabularySize)
  if (most < contextLength) throw new InvalidArgumentError('reference', `a model with a context of ${contextLength}`, most)
  const same = typeof input !== 'string' || sameTokens(reference.tokenizer.encode(input), tokens)
  if (!same) throw new InvalidArgumentError('reference', 'a model with the same tokens for the text', 'another tokenizer')
}

function sameTokens(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i])
}
