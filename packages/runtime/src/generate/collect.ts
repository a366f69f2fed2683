import { InvalidArgumentError } from '@dpllm/core'
import type { FinishReason, GeneratePart, Timings } from './options.js'

/** A whole answer. */
export interface Generated {
  readonly text: string
  readonly tokens: readonly { readonly id: number; readonly text: string; readonly logprob: number; readonly bits: number }[]
  readonly finishReason: FinishReason
  readonly stopString?: string
  readonly promptTokens: number
  readonly effectiveBits: number
  readonly timings: Timings
}

/**
 * Waits for all parts of a generation.
 * @throws InvalidArgumentError if they end without a finish reason: parts of a generation that was left early
 */
export async function collect(parts: AsyncIterable<GeneratePart>): Promise<Generated> {
  const tokens = []
  let last: GeneratePart | undefined
  for await (const part of parts) {
    tokens.push({ id: part.token, text: part.text, logprob: part.logprob, bits: part.bits })
    last = part
  }
  if (last?.finishReason === undefined)
    throw new InvalidArgumentError('parts', 'a generation up to its end', `${tokens.length} parts`)
  return {
    text: tokens.map((token) => token.text).join(''),
    tokens,
    finishReason: last.finishReason,
    ...(last.stopString !== undefined && { stopString: last.stopString }),
    promptTokens: last.promptTokens,
    effectiveBits: last.effectiveBits,
    timings: last.timings,
  }
}
