import { InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { quantile } from '@dpllm/estimators'
import { collect, type GenerateOptions, type Model } from '@dpllm/runtime'

/** What is needed of a model. */
export type RequestModel = Pick<Model, 'generate' | 'tokenizer'>

export interface RequestBitsOptions extends Omit<GenerateOptions, 'onPromptProgress'> {
  /** Tokens of each answer; default 100. Answers do not end before: requests of different lengths would not be comparable. */
  readonly maxTokens?: number | undefined
  /** Only the first so many tokens of each prompt. */
  readonly promptTokens?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

/** How far the bits of single requests are from each other. */
export interface RequestBits {
  /** Effective bits of each request: mean over its decoded tokens, the first of which comes from the prompt and does not count. */
  readonly effectiveBits: readonly number[]
  readonly mean: number
  /** Percentiles over the requests (linear between neighbours). */
  readonly percentiles: { readonly 1: number; readonly 50: number; readonly 90: number; readonly 99: number }
}

/**
 * The effective bits that requests really get at a target: DP-LLM's best-effort quality of service, of which its table 7 gives
 * the spread over prompts.
 * @throws InvalidArgumentError for no prompts, answers of less than two tokens, or a precision that the model cannot give
 */
export async function requestBits(
  model: RequestModel,
  prompts: readonly string[],
  { maxTokens = 100, promptTokens, onProgress, ...options }: RequestBitsOptions = {},
): Promise<RequestBits> {
  if (prompts.length === 0) throw new InvalidArgumentError('prompts', 'at least one', 'none')
  if (!(Number.isInteger(maxTokens) && maxTokens >= 2))
    throw new InvalidArgumentError('maxTokens', 'a whole number of at least 2', maxTokens)
  const effectiveBits: number[] = []
  for (const prompt of prompts) {
    const tokens = model.tokenizer.encode(prompt).slice(0, promptTokens)
    const answer = await collect(model.generate(tokens, { ...options, maxTokens, ignoreEos: true }))
    effectiveBits.push(answer.effectiveBits)
    onProgress?.({ stage: 'requests', done: effectiveBits.length, total: prompts.length, unit: 'requests' })
  }
  const mean = effectiveBits.reduce((sum, bits) => sum + bits, 0) / effectiveBits.length
  const at = (percent: number) => quantile(effectiveBits, percent / 100)
  return { effectiveBits, mean, percentiles: { 1: at(1), 50: at(50), 90: at(90), 99: at(99) } }
}
