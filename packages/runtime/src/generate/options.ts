import type { OnProgress } from '@dpllm/core'
import type { PrecisionRequest } from '../precision/choose-precision.js'
import type { SamplingOptions } from '../sampling/sampler.js'
import type { ChatMessage } from '../text/chat-template.js'

/** Text, which gets the special tokens that the model expects; the messages of a chat; or token ids as they are. */
export type Prompt = string | readonly ChatMessage[] | Uint32Array

export interface GenerateOptions extends SamplingOptions, PrecisionRequest {
  /** Most tokens of the answer; by default, and at most, to the end of the context. */
  readonly maxTokens?: number | undefined
  /** Texts that end the answer; they are not part of it. */
  readonly stop?: readonly string[] | undefined
  /** Go on after tokens that end an answer. Default false. */
  readonly ignoreEos?: boolean | undefined
  /**
   * Hold the mean bits of the answer at `targetBits`: what earlier tokens read beyond it, later ones save. Default true; for
   * dynamic precisions of profiles that serve every target.
   */
  readonly feedback?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Called after every piece of the prompt; `done` of `total` tokens. */
  readonly onPromptProgress?: OnProgress | undefined
}

/** Why an answer ended: at a stop string, at `maxTokens` or the end of the context, or by a token that ends answers. */
export type FinishReason = 'stop' | 'length' | 'eos'

/** One generated token. The texts of all parts together are the answer. */
export interface GeneratePart {
  /** What has become certain: '' while a character or a stop string may be incomplete. */
  readonly text: string
  /** The token's id. */
  readonly token: number
  /** Natural logarithm of the token's probability as the model gives it: at temperature 1 and before any filter. */
  readonly logprob: number
  /** Mean bits that the step which gave this token read, weighted by parameters; for the first, the prompt's last step. */
  readonly bits: number
  /** u8 [linears]: what the decode step that gave this token read of each linear, in the model's order; not of the first token. */
  readonly linearBits?: Uint8Array
  /** Of the last part only. */
  readonly finishReason?: FinishReason
  /** The stop string that ended the answer. */
  readonly stopString?: string
  readonly promptTokens: number
  /** This token included. */
  readonly generatedTokens: number
  /**
   * Mean of `bits` over the decode steps so far; so without the first token, which comes out of the prompt
   * (DP-LLM's own count), unless it is the only one.
   */
  readonly effectiveBits: number
  readonly timings: Timings
}

/** Times in milliseconds; the consumer's own time between parts is not counted. */
export interface Timings {
  readonly promptMs: number
  readonly promptTokensPerSecond: number
  /** From the prompt's end: choosing tokens and running them. */
  readonly generatedMs: number
  /** Decode steps per second, so without the first token; 0 as long as there is only that one. */
  readonly tokensPerSecond: number
  readonly timeToFirstTokenMs: number
}
