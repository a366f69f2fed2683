import { DpllmError, InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { type Model, type PrecisionRequest, requestPolicy } from '@dpllm/runtime'
import { type Chunk, cutIntoChunks, MIN_CONTEXT, type Protocol, usualContext } from './chunks.js'
import { meanOf } from './statistics.js'

/** Default limit on the logits of one step; a vocabulary of 128 thousand leaves 130 tokens a step. */
const LOGITS_BYTES = 2 ** 26
/** Most tokens of a step by default; more does not run faster. */
const MAX_BATCH = 512

/** What is needed of a model. */
export type PerplexityModel = Pick<Model, 'config' | 'precision' | 'effectiveBits' | 'createCache' | 'run'> & {
  readonly tokenizer: Pick<Model['tokenizer'], 'encode' | 'bosId'>
}

export interface PerplexityOptions extends PrecisionRequest {
  /** Default `llama.cpp`. */
  readonly protocol?: Protocol
  /** Tokens of a chunk; default what the protocol's published numbers are for, or the model's context if that is less. */
  readonly contextLength?: number | undefined
  /** Evaluate only the first so many chunks. */
  readonly chunks?: number | undefined
  /** Tokens of a step; 1 is exactly what decoding does. Default up to 512, with at most 64 MiB of logits. */
  readonly batchSize?: number | undefined
  /**
   * Whether the target of a dynamic precision moves after each step so that the mean over all scored positions stays where it
   * was asked for, as that of generated tokens does in `generate`: what is not scored is the context. Default true.
   */
  readonly feedback?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface PerplexityResult {
  /** exp of the mean loss; chunks are of equal length, so that the mean over tokens is the mean over chunks. */
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
  const { protocol = 'llama.cpp', signal, onProgress } = options
  const contextLength = chosenContext(model, protocol, options.contextLength)
  const batchSize = options.batchSize ?? usualBatch(model.config.vocabularySize)
  checkCount('batchSize', batchSize)
  if (options.chunks !== undefined) checkCount('chunks', options.chunks)
  const { targetBits, precision, method } = options
  const { policy, record } = requestPolicy(model.precision({ targetBits, precision, method }), options)
  const tokens = typeof input === 'string' ? model.tokenizer.encode(input) : input
  const chunks = cutIntoChunks(tokens, protocol, contextLength, model.tokenizer.bosId, options.chunks)

  const losses: Float32Array[] = []
  let bitSum = 0
  using cache = model.createCache(contextLength)
  for (const [index, chunk] of chunks.entries()) {
    for (const step of stepsOf(chunk, batchSize)) {
      signal?.throwIfAborted()
      const { outputs, bits } = await model.run({ ...step, cache, policy, signal })
      const { rows } = step
      if (rows.length === 0) continue
      losses.push(outputs.loss)
      const effectiveBits = model.effectiveBits(columns(bits, step.tokens.length, rows), rows.length)
      record?.(effectiveBits, rows.length)
      bitSum += effectiveBits * rows.length
    }
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
  }
}

/** The steps of a chunk. Those before the first scored position only fill the cache, so nothing is wanted of them. */
function* stepsOf({ tokens, firstScored }: Chunk, batchSize: number) {
  // The last token predicts nothing that is scored.
  const end = tokens.length - 1
  for (let position = 0; position < end; position += batchSize) {
    const batch = tokens.subarray(position, Math.min(position + batchSize, end))
    const first = Math.max(firstScored - position, 0)
    const rows = Uint32Array.from({ length: Math.max(batch.length - first, 0) }, (_, i) => first + i)
    const targets = rows.map((row) => tokens[position + row + 1])
    yield { tokens: batch, position, rows, targets, outputs: rows.length === 0 ? [] : ['loss'] }
  }
}

/** The columns `wanted` of u8 [n, count]. */
function columns(matrix: Uint8Array, count: number, wanted: Uint32Array): Uint8Array {
  const n = matrix.length / count
  const out = new Uint8Array(n * wanted.length)
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < wanted.length; i++) out[row * wanted.length + i] = matrix[row * count + wanted[i]]
  }
  return out
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

function chosenContext({ config }: PerplexityModel, protocol: Protocol, wanted: number | undefined): number {
  const most = config.contextLength
  if (wanted === undefined) return Math.min(usualContext[protocol], most)
  if (!Number.isInteger(wanted) || wanted < MIN_CONTEXT || wanted > most) {
    throw new InvalidArgumentError('contextLength', `a whole number from ${MIN_CONTEXT} to ${most}, the model's context`, wanted)
  }
  return wanted
}

function usualBatch(vocabularySize: number): number {
  return Math.max(1, Math.min(MAX_BATCH, Math.floor(LOGITS_BYTES / (4 * vocabularySize))))
}

function checkCount(name: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError(name, 'a whole number of at least 1', count)
}
