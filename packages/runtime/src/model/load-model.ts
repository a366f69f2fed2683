import path from 'node:path'
import {
  type Backend,
  FileFormatError,
  InvalidArgumentError,
  isBitPlanes,
  type OnProgress,
  type Weight,
  weightBytes,
} from '@dpllm/core'
import { openCheckpoint } from '@dpllm/core/node'
import { allocate } from '@dpllm/cpu-kernels'
import { type BackendName, type BackendOptions, createBackend } from '../backends/create-backend.js'
import type { ModelConfig } from '../config/model-config.js'
import { readModelConfig } from '../config/read-config.js'
import { readWeights } from '../load/read-weights.js'
import { countParameters } from '../models/count-parameters.js'
import { decoderProgram } from '../models/decoder.js'
import type { SelectInputs } from '../models/select-inputs.js'
import { adaptiveLinears } from '../profile/adaptive-linears.js'
import { selectInputsOf } from '../profile/profile.js'
import { loadChatTemplate } from '../text/chat-template.js'
import { loadTokenizer, type Tokenizer } from '../text/tokenizer.js'
import { chooseProfile } from './choose-profile.js'
import { describeLinears } from './linears.js'
import { createModel, type Model } from './model.js'

export interface LoadOptions extends BackendOptions {
  /** A name, or a backend made by the caller; default `auto`. The model disposes of it either way, and so does a failure. */
  readonly backend?: BackendName | 'auto' | Backend | undefined
  /**
   * Name of the adaptation profile; `false` loads none. By default the only one there is; where there are several, one that
   * serves `targetBits`: the first by name, of method `budget` if there is one.
   */
  readonly profile?: string | false | undefined
  /** The method that requests will ask for: loads the first profile by name of that method (which serves `targetBits`). */
  readonly method?: string | undefined
  /** The target that requests will ask for: picks the profile where there are several. */
  readonly targetBits?: number | undefined
  /** Most bits of every linear to load; default the profile's limits, or all that the file has. */
  readonly maxBits?: number | undefined
  /** What select operators estimate from; default what the profile was made for, or `own` without one. */
  readonly selectInputs?: SelectInputs | undefined
  /** Positions to make room for; default what the model was made for. */
  readonly contextLength?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * Loads a Hugging Face style folder, quantized or original.
 * @throws FileFormatError naming file and tensor, UnsupportedError for an unknown architecture,
 * BackendUnavailableError, InvalidArgumentError
 */
export async function loadModel(directory: string, options: LoadOptions = {}): Promise<Model> {
  // Made first: that it cannot be used is said before gigabytes are read.
  const backend = typeof options.backend === 'object' ? options.backend : createBackend(options.backend, options)
  try {
    return await loadOnto(backend, directory, options)
  } catch (error) {
    await backend[Symbol.asyncDispose]()
    throw error
  }
}

async function loadOnto(backend: Backend, directory: string, options: LoadOptions): Promise<Model> {
  const { maxBits, contextLength, signal, onProgress } = options
  const config = await readModelConfig(directory, { contextLength })
  const quantized = config.quantization
  if (maxBits !== undefined && !quantized)
    throw new InvalidArgumentError('maxBits', 'a quantized model (run dpllm quantize first)', maxBits)
  if (maxBits !== undefined && !(Number.isInteger(maxBits) && maxBits >= quantized!.seedBits && maxBits <= quantized!.maxBits)) {
    throw new InvalidArgumentError('maxBits', `a whole number from ${quantized!.seedBits} to ${quantized!.maxBits}`, maxBits)
  }
  const tokenizer = await loadTokenizer(directory)
  checkTokenIds(directory, tokenizer, config)
  const chatTemplate = await loadChatTemplate(directory)
  const profile = quantized ? await chooseProfile(directory, adaptiveLinears(decoderProgram(config), config), options) : undefined
  const selectInputs = options.selectInputs ?? (profile ? selectInputsOf(profile.data.policy) : 'own')
  const decoder = decoderProgram(config, { selectInputs })

  await using checkpoint = await openCheckpoint(directory, { allocate })
  const weights = await readWeights(checkpoint, config, decoder, {
    maxBits: (module) => (module.startsWith('model.layers.') ? (maxBits ?? profile?.data.maxBits[module]) : undefined),
    signal,
    onProgress,
  })
  const compiled = await backend.compile(decoder.program, weights)
  return createModel({
    directory,
    config,
    tokenizer,
    chatTemplate,
    backend,
    profile,
    selectInputs,
    compiled,
    weights,
    linears: describeLinears(compiled.selects, weights),
    weightBytes: [...weights.values()].reduce((sum, weight) => sum + weightBytes(weight), 0),
    parameters: countParameters(decoder, config),
    denseBits: denseBits(weights.get('model.embed_tokens.weight')!),
  })
}

/** A text must not become tokens that the model has no embedding for. (It may have more embeddings than there are tokens.) */
function checkTokenIds(directory: string, { vocabSize, bosId = 0 }: Tokenizer, { vocabularySize }: ModelConfig): void {
  const largest = Math.max(vocabSize - 1, bosId)
  if (largest < vocabularySize) return
  const message = `has a token with the id ${largest}, but the vocab_size of config.json is ${vocabularySize}; take both from one model`
  throw new FileFormatError(path.join(directory, 'tokenizer.json'), message)
}

function denseBits(weight: Weight): number {
  return isBitPlanes(weight) ? weight.maxBits : weight.data.BYTES_PER_ELEMENT * 8
}
