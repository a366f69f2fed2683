import type { Backend, CompiledProgram, KeyValueCache, Step, StepResult, Weights } from '@dpllm/core'
import type { ModelConfig } from '../config/model-config.js'
import type { Decoder } from '../generate/decoder.js'
import { generate } from '../generate/generate.js'
import type { GenerateOptions, GeneratePart, Prompt } from '../generate/options.js'
import type { Profile } from '../profile/profile.js'
import type { ChatTemplate } from '../text/chat-template.js'
import type { Tokenizer } from '../text/tokenizer.js'
import { effectiveBits, type LinearInfo } from './linears.js'
import { choosePrecision, type Precision, type PrecisionRequest } from './precision.js'

/** A loaded language model. Make one with `loadModel`; dispose of it with `await using` or `[Symbol.asyncDispose]()`. */
export interface Model extends AsyncDisposable {
  readonly directory: string
  readonly config: ModelConfig
  readonly tokenizer: Tokenizer
  /** Undefined if the model has none. */
  readonly chatTemplate: ChatTemplate | undefined
  readonly backend: Backend
  /** Linears whose bits are decided per token, in the order of `StepResult.bits`; empty for an unquantized model. */
  readonly linears: readonly LinearInfo[]
  readonly profile: Profile | undefined
  /** By tensor name, bit-planes as MODULE.weight. They must not be changed. */
  readonly weights: Weights
  /** Bytes of the weights in memory. */
  readonly weightBytes: number
  /** Number of weights, the head and the embedding included (a tied one once). */
  readonly parameters: number
  /** Makes a precision concrete. @throws InvalidArgumentError if the loaded model cannot give it */
  precision(request: PrecisionRequest): Precision
  /** Mean bits of a step: parameter-weighted, all tokens; the storage width (16 or 32) for an unquantized model. */
  effectiveBits(bits: Uint8Array, tokens: number): number
  createCache(capacity: number): KeyValueCache
  /** Runs the model's program for one step; outputs `logits` f32 [R, V] and `loss` f32 [R] are there, and every other value by name. */
  run(step: Step): Promise<StepResult>
  /** Generates text, a part for each token. */
  generate(prompt: Prompt, options?: GenerateOptions): AsyncGenerator<GeneratePart, void, undefined>
}

/** What a model is made of. */
export interface ModelParts
  extends Pick<
    Model,
    | 'directory'
    | 'config'
    | 'tokenizer'
    | 'chatTemplate'
    | 'backend'
    | 'linears'
    | 'profile'
    | 'weights'
    | 'weightBytes'
    | 'parameters'
  > {
  readonly compiled: CompiledProgram
  /** Bits of a dense weight, 16 or 32. */
  readonly denseBits: number
}

export function createModel(parts: ModelParts): Model {
  const { compiled, config, linears, denseBits, ...shown } = parts
  const context = {
    modules: linears.map((linear) => linear.module),
    minBits: Math.max(...linears.map((linear) => linear.minBits)),
    maxBits: Math.max(...linears.map((linear) => linear.maxBits)),
    profile: parts.profile,
  }
  const bitsOf = (bits: Uint8Array, tokens: number) => (linears.length === 0 ? denseBits : effectiveBits(linears, bits, tokens))
  const precision = (request: PrecisionRequest) => choosePrecision(request, context)

  const decoder = (request: PrecisionRequest): Decoder => {
    const { policy, prefillPolicy } = precision(request)
    const withPolicy = (step: Step, p: Precision['policy']) => compiled.run(p === undefined ? step : { ...step, policy: p })
    return {
      tokenizer: parts.tokenizer,
      chatTemplate: parts.chatTemplate,
      contextLength: config.contextLength,
      vocabSize: config.vocabularySize,
      createCache: (capacity) => compiled.createCache(capacity),
      prefill: async (tokens, position, cache, signal) => {
        const { outputs, bits } = await withPolicy({ tokens, position, cache, ...(signal ? { signal } : {}) }, prefillPolicy)
        return { logits: outputs['logits'], bits: bitsOf(bits, tokens.length) }
      },
      decode: async (token, position, cache, signal) => {
        const step = { tokens: Uint32Array.of(token), position, cache, ...(signal ? { signal } : {}) }
        const { outputs, bits } = await withPolicy(step, policy)
        return { logits: outputs['logits'], bits: bitsOf(bits, 1) }
      },
    }
  }

  return {
    ...shown,
    config,
    linears,
    precision,
    effectiveBits: bitsOf,
    createCache: (capacity) => compiled.createCache(capacity),
    run: (step) => compiled.run(step),
    generate: (prompt, options = {}) => generate(decoder(options), prompt, options),
    [Symbol.asyncDispose]: async () => {
      await compiled[Symbol.asyncDispose]()
      await parts.backend[Symbol.asyncDispose]()
    },
  }
}
