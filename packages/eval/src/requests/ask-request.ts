import { InvalidArgumentError } from '@dpllm/core'
import type { GenerateOptions, GeneratePart, Model } from '@dpllm/runtime'

/** What is needed of a model. */
export type RequestModel = Pick<Model, 'generate' | 'tokenizer'>

/** Requests of one length, so that they can be compared. */
export interface RequestOptions extends Omit<GenerateOptions, 'onPromptProgress' | 'ignoreEos'> {
  /** Tokens of each answer; default 100, as in DP-LLM's latency measurements. Answers do not end before. */
  readonly maxTokens?: number | undefined
  /** Only the first so many tokens of each prompt. */
  readonly promptTokens?: number | undefined
}

const ANSWER_TOKENS = 100

/** @throws InvalidArgumentError for no prompts, or answers without a decoded token; @returns tokens of each answer */
export function checkRequests(prompts: readonly string[], { maxTokens = ANSWER_TOKENS }: RequestOptions): number {
  if (prompts.length === 0) throw new InvalidArgumentError('prompts', 'at least one', 'none')
  if (!(Number.isInteger(maxTokens) && maxTokens >= 2))
    throw new InvalidArgumentError('maxTokens', 'a whole number of at least 2', maxTokens)
  return maxTokens
}

/** Answers one prompt with exactly so many tokens, if the context has room for them. */
export function askRequest(
  model: RequestModel,
  prompt: string,
  { maxTokens = ANSWER_TOKENS, promptTokens, ...options }: RequestOptions,
): { readonly prompt: Uint32Array; readonly parts: AsyncGenerator<GeneratePart, void, undefined> } {
  const tokens = model.tokenizer.encode(prompt).slice(0, promptTokens)
  return { prompt: tokens, parts: model.generate(tokens, { ...options, maxTokens, ignoreEos: true }) }
}
