import { InvalidArgumentError } from '@dpllm/core'
import type { Timings } from '@dpllm/runtime'
import { askRequest, type RequestModel, type RequestOptions } from '../requests/ask-request.js'

/** A token of an answer. */
export interface AnswerToken {
  /** What it added to the text; '' while a character is incomplete. */
  readonly text: string
  /** Effective bits that it was decoded at; of the first, those of the prompt's last step. */
  readonly bits: number
}

/** One request, as its user saw it. */
export interface Answer {
  /** The prompt as far as it was given. */
  readonly prompt: string
  readonly tokens: readonly AnswerToken[]
  readonly ids: Uint32Array
  readonly promptTokens: number
  readonly timeToFirstTokenMs: number
  /** Mean over the tokens after the first. */
  readonly timePerTokenMs: number
  readonly tokensPerSecond: number
  readonly effectiveBits: number
}

/**
 * @param onStep called for every decode step with its number from 0 and, for a quantized model, the bits u8 [linears]
 * @throws InvalidArgumentError if the context ends before a token has been decoded
 */
export async function answerPrompt(
  model: RequestModel,
  prompt: string,
  options: RequestOptions,
  onStep: (step: number, linearBits: Uint8Array) => void,
): Promise<Answer> {
  const { prompt: given, parts } = askRequest(model, prompt, options)
  const tokens: AnswerToken[] = []
  const ids: number[] = []
  let effectiveBits = 0
  let timings: Timings | undefined
  for await (const part of parts) {
    if (part.linearBits !== undefined) onStep(tokens.length - 1, part.linearBits)
    tokens.push({ text: part.text, bits: part.bits })
    ids.push(part.token)
    ;({ effectiveBits, timings } = part)
  }
  if (timings === undefined || tokens.length < 2)
    throw new InvalidArgumentError('prompts', 'prompts that leave room for two tokens', `one of ${given.length} tokens`)
  const { timeToFirstTokenMs, tokensPerSecond } = timings
  return {
    prompt: model.tokenizer.decode(given, { skipSpecialTokens: true }),
    tokens,
    ids: Uint32Array.from(ids),
    promptTokens: given.length,
    timeToFirstTokenMs,
    timePerTokenMs: 1000 / tokensPerSecond,
    tokensPerSecond,
    effectiveBits,
  }
}
