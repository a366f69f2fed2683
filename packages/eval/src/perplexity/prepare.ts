import { InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { type Model, type PrecisionRequest, type RequestPolicy, requestPolicy } from '@dpllm/runtime'
import { type Chunk, cutIntoChunks, MIN_CONTEXT, type Protocol, usualContext } from './chunks.js'
import { usualBatch } from './steps.js'

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
  /** Tokens from one window to the next, for protocol `strided`; default half of the context. */
  readonly stride?: number | undefined
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

/** What is scored, and how. */
export interface Scoring extends RequestPolicy {
  readonly protocol: Protocol
  readonly contextLength: number
  readonly batchSize: number
  readonly tokens: Uint32Array
  readonly chunks: readonly Chunk[]
}

/** @throws InvalidArgumentError for options that the model or the text cannot serve */
export function prepareScoring(model: PerplexityModel, input: string | Uint32Array, options: PerplexityOptions): Scoring {
  const { protocol = 'llama.cpp', targetBits, precision, method, chunks: limit, stride } = options
  const contextLength = chosenContext(model, protocol, options.contextLength)
  const batchSize = options.batchSize ?? usualBatch(model.config.vocabularySize)
  checkCount('batchSize', batchSize)
  if (limit !== undefined) checkCount('chunks', limit)
  const request = requestPolicy(model.precision({ targetBits, precision, method }), options)
  const tokens = typeof input === 'string' ? model.tokenizer.encode(input) : input
  const chunks = cutIntoChunks(tokens, protocol, contextLength, model.tokenizer.bosId, { limit, stride })
  return { ...request, protocol, contextLength, batchSize, tokens, chunks }
}

function chosenContext({ config }: PerplexityModel, protocol: Protocol, wanted: number | undefined): number {
  const most = config.contextLength
  if (wanted === undefined) return Math.min(usualContext[protocol], most)
  if (!Number.isInteger(wanted) || wanted < MIN_CONTEXT || wanted > most) {
    throw new InvalidArgumentError('contextLength', `a whole number from ${MIN_CONTEXT} to ${most}, the model's context`, wanted)
  }
  return wanted
}

function checkCount(name: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError(name, 'a whole number of at least 1', count)
}
