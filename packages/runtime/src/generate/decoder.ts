import type { KeyValueCache } from '@dpllm/core'
import type { ChatTemplate } from '../text/chat-template.js'
import type { Tokenizer } from '../text/tokenizer.js'

/** What a step gives for choosing the next token. */
export interface StepOutput {
  /** f32 [vocabSize], of the step's last token; of use until the next step. */
  readonly logits: Float32Array
  /** Mean bits that the step's tokens read, weighted by parameters. */
  readonly bits: number
  /** u8 [linears, tokens of the step]: what each linear read for each token; for who wants to look at it. */
  readonly linearBits?: Uint8Array
}

/** A model with the precision of one request: all that generation needs of it. */
export interface Decoder {
  readonly tokenizer: Tokenizer
  /** Undefined if the model has none. */
  readonly chatTemplate?: ChatTemplate | undefined
  /** Most positions of a sequence, prompt and answer together. */
  readonly contextLength: number
  /** Number of logits; may be more than the tokenizer has tokens. */
  readonly vocabSize: number
  createCache(capacity: number): KeyValueCache
  /** Runs consecutive tokens of the prompt, the first of them at `position`. */
  prefill(tokens: Uint32Array, position: number, cache: KeyValueCache, signal?: AbortSignal): Promise<StepOutput>
  /** Runs one generated token. */
  decode(token: number, position: number, cache: KeyValueCache, signal?: AbortSignal): Promise<StepOutput>
}
