import { InvalidArgumentError, type KeyValueCache } from '@dpllm/core'
import { createSampler } from '../sampling/sampler.js'
import { createStopFilter } from '../text/stop-strings.js'
import type { Decoder, StepOutput } from './decoder.js'
import type { GenerateOptions, GeneratePart, Prompt } from './options.js'
import { promptTokens } from './prompt.js'
import { startStopwatch } from './stopwatch.js'

/** Tokens of a prompt that run at once: enough for full speed, few enough that an abort is seen soon. */
export const PREFILL_CHUNK = 512

/**
 * Answers a prompt token by token. The caches live as long as the loop over the parts: leaving it early frees them.
 * @throws InvalidArgumentError for prompts and options that the model cannot take; the signal's reason when aborted
 */
export async function* generate(
  decoder: Decoder,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<GeneratePart, void, undefined> {
  const { signal, ignoreEos = false } = options
  signal?.throwIfAborted()
  const watch = startStopwatch()
  const sampler = createSampler(options)
  const stops = createStopFilter(options.stop ?? [])
  const tokens = promptTokens(decoder, prompt)
  const maxTokens = answerLength(options.maxTokens, decoder.contextLength - tokens.length)
  const text = decoder.tokenizer.createDecoder({ skipSpecialTokens: true, after: tokens })

  const cache = decoder.createCache(tokens.length + maxTokens)
  try {
    let output = await prefill(decoder, tokens, cache, options)
    watch.promptDone()
    let bitsOfDecoding = 0
    for (let generated = 1; ; generated++) {
      const { token, logprob } = sampler.sample(output.logits)
      const eos = !ignoreEos && decoder.tokenizer.eosIds.includes(token)
      const last = eos || generated === maxTokens
      let { text: piece, stop } = stops.push(eos ? '' : text.push(token))
      if (last && stop === undefined) {
        const rest = stops.push(text.end())
        stop = rest.stop
        piece += rest.text + stops.end()
      }
      if (generated > 1) bitsOfDecoding += output.bits
      const reason = stop !== undefined ? 'stop' : eos ? 'eos' : last ? 'length' : undefined
      yield {
        text: piece,
        token,
        logprob,
        bits: output.bits,
        ...(generated > 1 && output.linearBits !== undefined && { linearBits: output.linearBits }),
        ...(reason !== undefined && { finishReason: reason }),
        ...(stop !== undefined && { stopString: stop }),
        promptTokens: tokens.length,
        generatedTokens: generated,
        effectiveBits: generated > 1 ? bitsOfDecoding / (generated - 1) : output.bits,
        timings: watch.pause(tokens.length, generated),
      }
      if (reason !== undefined) return
      watch.resume()
      signal?.throwIfAborted()
      output = await decoder.decode(token, tokens.length + generated - 1, cache, signal)
      signal?.throwIfAborted()
    }
  } finally {
    cache[Symbol.dispose]()
  }
}

async function prefill(
  decoder: Decoder,
  tokens: Uint32Array,
  cache: KeyValueCache,
  options: GenerateOptions,
): Promise<StepOutput> {
  const { signal, onPromptProgress } = options
  for (let start = 0; ; start += PREFILL_CHUNK) {
    signal?.throwIfAborted()
    const end = Math.min(start + PREFILL_CHUNK, tokens.length)
    const output = await decoder.prefill(tokens.subarray(start, end), start, cache, signal)
    signal?.throwIfAborted()
    onPromptProgress?.({ stage: 'prompt', done: end, total: tokens.length, unit: 'tokens' })
    if (end === tokens.length) return output
  }
}

function answerLength(maxTokens: number | undefined, room: number): number {
  if (maxTokens === undefined) return room
  if (!Number.isInteger(maxTokens) || maxTokens < 1)
    throw new InvalidArgumentError('maxTokens', 'an integer, at least 1', maxTokens)
  return Math.min(maxTokens, room)
}
