import type { OnProgress } from '@dpllm/core'
import { collect } from '@dpllm/runtime'
import { askRequest, checkRequests, type RequestModel, type RequestOptions } from './ask-request.js'
import { type Spread, spreadOf } from './spread.js'

export interface RequestBitsOptions extends RequestOptions {
  readonly onProgress?: OnProgress | undefined
}

/** How far the bits of single requests are from each other. */
export interface RequestBits extends Spread {
  /** Effective bits of each request: mean over its decoded tokens, the first of which comes from the prompt and does not count. */
  readonly effectiveBits: readonly number[]
}

/**
 * The effective bits that requests really get at a target: DP-LLM's best-effort quality of service, of which its table 7 gives
 * the spread over prompts.
 * @throws InvalidArgumentError for no prompts, answers of less than two tokens, or a precision that the model cannot give
 */
export async function requestBits(
  model: RequestModel,
  prompts: readonly string[],
  { onProgress, ...options }: RequestBitsOptions = {},
): Promise<RequestBits> {
  checkRequests(prompts, options)
  const effectiveBits: number[] = []
  for (const prompt of prompts) {
    const answer = await collect(askRequest(model, prompt, options).parts)
    effectiveBits.push(answer.effectiveBits)
    onProgress?.({ stage: 'requests', done: effectiveBits.length, total: prompts.length, unit: 'requests' })
  }
  return { effectiveBits, ...spreadOf(effectiveBits) }
}
