import type { Backend, CompiledProgram, KeyValueCache, Step, StepResult, Weights } from '@dpllm/core'
import type { ModelConfig } from '../config/model-config.js'
import type { Decoder } from '../generate/decoder.js'
import { generate } from '../generate/generate.js'
import type { GenerateOptions, GeneratePart, Prompt } from '../generate/options.js'
import type { SelectInputs } from '../models/select-inputs.js'
import { choosePrecision, type Precision, type PrecisionRequest } from '../precision/choose-precision.js'
import { remember } from '../precision/remember.js'
import { requestPolicy } from '../precision/request-policy.js'
import type { Profile } from '../profile/profile.js'
import type { ChatTemplate } from '../text/chat-template.js'
import type { Tokenizer } from '../text/tokenizer.js'
import { effectiveBits, type LinearInfo } from './linears.js'

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
  /** What the select operators of the model's program estimate from. */
  readonly selectInputs: SelectInputs
  /** By tensor name, bit-planes as MODULE.weight. They must not be changed. */
  readonly weights: Weights
  /** Bytes of the weights in memory. */
  readonly weightBytes: number
  /** Number of weights, the head and the embedding included (a tied one once). */
  readonly parameters: number
  /**
   * Makes a precision concrete. Equal requests give the same object (as long as it is one of the last few hundred), which
   * must not be changed: a backend takes over its estimators once.
   * @throws InvalidArgumentError if the loaded model cannot give it
   */
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
    | 'selectInputs'
    | 'weights'
    | 'weightBytes'
    | 'parameters'
  > {
  readonly compiled: CompiledProgram
  /** Bits of a dense weight, 16 or 32. */
  readonly denseBits: number
}

/** Precisions that are kept for requests to come. */
const KEPT_PRECISIONS = 256

export function createModel(parts: ModelParts): Model {
  const { compiled, config, linears, denseBits, ...shown } = parts
  const bitsOf = (bits: Uint8Array, tokens: number) => (linears.length === 0 ? denseBits : effectiveBits(linears, bits, tokens))
  const precisions = new Map<string, Precision>()
  const context = { linears, profile: parts.profile, selectInputs: parts.selectInputs }
  const precision = (request: PrecisionRequest) => {
    const key = `${request.targetBits} ${request.precision} ${request.method}`
    return remember(precisions, key, KEPT_PRECISIONS, () => choosePrecision(request, context))
  }

  const decoder = (request: GenerateOptions): Decoder => {
    const chosen = precision(request)
    const { policy, record } = requestPolicy(chosen, request)
    // The result of one step is the next one's to fill: generation takes no memory for each token but the bits it hands out.
    let last: StepResult | undefined
    const run = async (step: Step) => {
      last = await compiled.run({ ...step, reuse: last })
      const { outputs, bits } = last
      return { logits: outputs['logits'], bits: bitsOf(bits, step.tokens.length), linearBits: bits.slice() }
    }
    const generated = new Uint32Array(1)
    return {
      tokenizer: parts.tokenizer,
      chatTemplate: parts.chatTemplate,
      contextLength: config.contextLength,
      vocabSize: config.vocabularySize,
      createCache: (capacity) => compiled.createCache(capacity),
      prefill: (tokens, position, cache, signal) => run({ tokens, position, cache, policy: chosen.prefillPolicy, signal }),
      decode: async (token, position, cache, signal) => {
        generated[0] = token
        const output = await run({ tokens: generated, position, cache, policy, signal })
        record?.(output.bits, 1)
        return output
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
