import { InvalidArgumentError } from '@dpllm/core'
import { renderChat } from '../text/chat-template.js'
import type { Decoder } from './decoder.js'
import type { Prompt } from './options.js'

/**
 * @returns the prompt's tokens: at least one, and fewer than the context has positions
 * @throws InvalidArgumentError if it is empty, too long, or names a token that the model does not have
 */
export function promptTokens(decoder: Decoder, prompt: Prompt): Uint32Array {
  const tokens = tokensOf(decoder, prompt)
  if (tokens.length === 0) throw new InvalidArgumentError('prompt', 'at least one token', prompt)
  if (tokens.length >= decoder.contextLength) {
    throw new InvalidArgumentError('prompt', `fewer tokens than the context of ${decoder.contextLength}`, tokens.length)
  }
  const unknown = tokens.find((token) => token >= decoder.vocabSize)
  if (unknown !== undefined) throw new InvalidArgumentError('prompt', `token ids below ${decoder.vocabSize}`, unknown)
  return tokens
}

function tokensOf({ tokenizer, chatTemplate }: Decoder, prompt: Prompt): Uint32Array {
  if (prompt instanceof Uint32Array) return prompt
  if (typeof prompt === 'string') return tokenizer.encode(prompt)
  const { bosToken, eosToken } = tokenizer
  return tokenizer.encode(renderChat(chatTemplate, prompt, { bosToken, eosToken }), { addSpecialTokens: false })
}
