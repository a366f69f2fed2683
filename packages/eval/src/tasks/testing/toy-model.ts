import type { KeyValueCache, Step } from '@dpllm/core'
import type { GeneratePart, ModelConfig } from '@dpllm/runtime'
import type { TaskModel } from '../answer.js'

const VOCABULARY = 128
const BOS = 1

interface ToyCache extends KeyValueCache {
  readonly tokens: number[]
}

/**
 * A model of letters: a token is a character's code, and what comes next depends on all tokens before it, so that a wrong
 * cache shows. It answers with the last letters of its prompt, backwards.
 */
export function toyModel({ contextLength = 64 } = {}) {
  const steps: Step[] = []
  const prompts: Uint32Array[] = []
  const model: TaskModel = {
    config: { contextLength, vocabularySize: VOCABULARY } as ModelConfig,
    tokenizer: {
      bosId: BOS,
      eosIds: [2],
      encode: (text, { addSpecialTokens = true } = {}) =>
        Uint32Array.from([
          ...(addSpecialTokens ? [BOS] : []),
          ...Array.from(text, (letter) => letter.charCodeAt(0) % VOCABULARY),
        ]),
    },
    precision: () => ({ policy: undefined, prefillPolicy: undefined }),
    effectiveBits: (bits, tokens) => bits.reduce((sum, b) => sum + b, 0) / tokens,
    createCache: (capacity): ToyCache => ({ capacity, tokens: [], [Symbol.dispose]: () => {} }),
    run: async (step) => {
      steps.push(step)
      const { tokens } = step.cache as ToyCache
      tokens.splice(step.position, Number.POSITIVE_INFINITY, ...step.tokens)
      const logits = Float32Array.from([...step.rows!].flatMap((row) => toyLogits(tokens.slice(0, step.position + row + 1))))
      const loss = Float32Array.from(step.targets!, (target, i) => {
        const row = logits.subarray(i * VOCABULARY, (i + 1) * VOCABULARY)
        return Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[target]
      })
      const bits = Uint8Array.from(step.tokens, (_, t) => 3 + ((step.position + t) % 2))
      return { outputs: { logits, loss }, bits, estimates: new Float32Array(bits.length) }
    },
    async *generate(prompt, options = {}) {
      options.signal?.throwIfAborted()
      prompts.push(prompt as Uint32Array)
      const letters = [...(prompt as Uint32Array)].slice(-(options.maxTokens ?? 1)).reverse()
      for (const [i, token] of letters.entries()) {
        const last = i === letters.length - 1
        const part = { text: String.fromCharCode(token), token, logprob: 0, bits: 4, effectiveBits: 4 }
        yield { ...part, ...(last && { finishReason: 'length' }), promptTokens: prompt.length } as GeneratePart
      }
    },
  }
  return { model, steps, prompts }
}

/** What follows these tokens. */
export function toyLogits(tokens: readonly number[]): number[] {
  let hash = 7
  for (const token of tokens) hash = (Math.imul(hash, 31) + token) | 0
  return Array.from({ length: VOCABULARY }, (_, v) => (((Math.imul(hash ^ v, 0x9e3779b1) >>> 8) % 1000) - 500) / 100)
}

/** Log-likelihood of the last `count` tokens, from the definition. */
export function toyLogLikelihood(tokens: readonly number[], count: number): number {
  let sum = 0
  for (let i = tokens.length - count; i < tokens.length; i++) {
    const logits = toyLogits(tokens.slice(0, i))
    sum += logits[tokens[i]] - Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0))
  }
  return sum
}
