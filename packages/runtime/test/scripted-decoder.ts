import type { KeyValueCache } from '@dpllm/core'
import type { Decoder } from '../src/generate/decoder.js'
import type { Tokenizer } from '../src/text/tokenizer.js'

/** A model that says what the script says, whatever it is asked; it records how it is used. */
export interface ScriptedDecoder extends Decoder {
  readonly calls: { tokens: number[]; position: number }[]
  readonly caches: { capacity: number; disposed: number }[]
}

/**
 * @param script ids of the answer, one after another; after its end the last again
 * @param bits of the prompt's steps, then of the decode steps in turn
 */
export function scriptedDecoder(
  tokenizer: Tokenizer,
  script: readonly number[],
  {
    contextLength = 2048,
    bits = [8, 3, 4],
    beforeStep = async () => {},
    ...rest
  }: Partial<Decoder> & {
    bits?: readonly number[]
    beforeStep?: (signal: AbortSignal | undefined) => Promise<void>
  } = {},
): ScriptedDecoder {
  const calls: ScriptedDecoder['calls'] = []
  const caches: ScriptedDecoder['caches'] = []
  const vocabSize = tokenizer.vocabSize
  let said = 0
  const say = (index: number) => {
    const logits = new Float32Array(vocabSize)
    logits[script[Math.min(index, script.length - 1)]] = 20
    return logits
  }
  return {
    tokenizer,
    contextLength,
    vocabSize,
    calls,
    caches,
    createCache(capacity) {
      const cache = { capacity, disposed: 0 }
      caches.push(cache)
      return { capacity, [Symbol.dispose]: () => void cache.disposed++ } satisfies KeyValueCache
    },
    async prefill(tokens, position, _cache, signal) {
      await beforeStep(signal)
      calls.push({ tokens: [...tokens], position })
      said = 0
      return { logits: say(0), bits: bits[0] }
    },
    async decode(token, position, _cache, signal) {
      await beforeStep(signal)
      calls.push({ tokens: [token], position })
      said++
      return { logits: say(said), bits: bits[1 + ((said - 1) % (bits.length - 1))] }
    },
    ...rest,
  }
}
