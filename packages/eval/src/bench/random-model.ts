import { setImmediate } from 'node:timers/promises'
import {
  type Backend,
  createRandom,
  InvalidArgumentError,
  MAX_BITS,
  MIN_BITS,
  type OnProgress,
  type Random,
  type Weight,
  weightBytes,
} from '@dpllm/core'
import {
  choosePrecision,
  countParameters,
  decoderProgram,
  describeLinears,
  effectiveBits,
  type LinearInfo,
  type ModelConfig,
  parseModelConfig,
  type Quantization,
} from '@dpllm/runtime'
import type { BenchModel } from './bench.js'
import { knownShapes, type ShapeName } from './known-shapes.js'
import { fastRandomHalves, fastRandomPlanes } from './random-planes.js'

export interface RandomModelOptions {
  /** Layers to make; default all that the model has. */
  readonly layers?: number | undefined
  /** Size of the vocabulary; default the model's. */
  readonly vocabularySize?: number | undefined
  /** Default 3 and 8. */
  readonly seedBits?: number | undefined
  readonly maxBits?: number | undefined
  /** Bits of the output head; default 8. */
  readonly headBits?: number | undefined
  readonly seed?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** A model of random weights in memory: runs, but knows no words. It disposes of its backend, and so does a failure. */
export interface RandomModel extends BenchModel, AsyncDisposable {
  readonly backend: Backend
  /** Linears of the select operators, in order: what the bits of a policy are of. */
  readonly linears: readonly LinearInfo[]
  /** Bytes of the weights. */
  readonly weightBytes: number
  /** Number of weights; a head shared with the embedding counts once. */
  readonly parameters: number
}

/**
 * Random bit-planes in the shapes of a known model, for measuring speed where its weights are not at hand.
 * @throws InvalidArgumentError for an unknown name, or if the weights do not fit in memory
 */
export async function randomModel(shape: string, backend: Backend, options: RandomModelOptions = {}): Promise<RandomModel> {
  try {
    return await makeModel(shape, backend, options)
  } catch (error) {
    await backend[Symbol.asyncDispose]()
    throw error
  }
}

async function makeModel(shape: string, backend: Backend, options: RandomModelOptions): Promise<RandomModel> {
  const config = shapeConfig(shape, options)
  const decoder = decoderProgram(config)
  const specs = decoder.weights.filter(({ name }) => name !== decoder.frequencies)
  const random = createRandom(options.seed ?? 0)
  const { frequencies } = config.rope
  const weights = new Map<string, Weight>([
    [decoder.frequencies, { dtype: 'f32', shape: [frequencies.length], data: frequencies }],
  ])
  for (const [i, { name, shape: dimensions }] of specs.entries()) {
    weights.set(name, makeWeight(random, name, dimensions, config.quantization!))
    options.onProgress?.({ stage: 'random weights', done: i + 1, total: specs.length, unit: 'tensors' })
    // Lets an abort be seen: the loop itself never waits.
    await setImmediate()
    options.signal?.throwIfAborted()
  }

  const compiled = await backend.compile(decoder.program, weights)
  const linears = describeLinears(compiled.selects, weights)
  return {
    config,
    backend,
    linears,
    weightBytes: [...weights.values()].reduce((sum, weight) => sum + weightBytes(weight), 0),
    parameters: countParameters(decoder, config),
    precision: (request) => choosePrecision(request, { linears, profile: undefined }),
    effectiveBits: (bits, tokens) => effectiveBits(linears, bits, tokens),
    createCache: (capacity) => compiled.createCache(capacity),
    run: (step) => compiled.run(step),
    [Symbol.asyncDispose]: async () => {
      await compiled[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
    },
  }
}

function shapeConfig(name: string, options: RandomModelOptions): ModelConfig {
  const { layers, vocabularySize, seedBits = MIN_BITS, maxBits = MAX_BITS, headBits = MAX_BITS } = options
  if (!Object.hasOwn(knownShapes, name))
    throw new InvalidArgumentError('random', `one of ${Object.keys(knownShapes).join(', ')}`, name)
  const known = knownShapes[name as ShapeName]
  if (layers !== undefined && !(Number.isInteger(layers) && layers >= 1 && layers <= known.num_hidden_layers)) {
    throw new InvalidArgumentError('layers', `a whole number from 1 to ${known.num_hidden_layers}`, layers)
  }
  if (vocabularySize !== undefined && !(Number.isInteger(vocabularySize) && vocabularySize >= 1)) {
    throw new InvalidArgumentError('vocabularySize', 'a whole number of at least 1', vocabularySize)
  }
  if (
    !(
      Number.isInteger(seedBits) &&
      Number.isInteger(maxBits) &&
      MIN_BITS <= seedBits &&
      seedBits <= maxBits &&
      maxBits <= MAX_BITS
    )
  ) {
    throw new InvalidArgumentError('bits', `a range from ${MIN_BITS} to ${MAX_BITS}`, `${seedBits} to ${maxBits}`)
  }
  const raw = { ...known, num_hidden_layers: layers ?? known.num_hidden_layers, vocab_size: vocabularySize ?? known.vocab_size }
  if (!(Number.isInteger(headBits) && seedBits <= headBits && headBits <= MAX_BITS)) {
    throw new InvalidArgumentError('headBits', `a whole number from ${seedBits} to ${MAX_BITS}`, headBits)
  }
  const dense = parseModelConfig(raw, name)
  const upTo = (most: number) => Array.from({ length: most - seedBits + 1 }, (_, i) => seedBits + i)
  const bits = upTo(maxBits)
  const quantizedModules: Quantization['quantizedModules'] = { lm_head: { bits: upTo(headBits) } }
  for (const weight of decoderProgram(dense).weights) {
    if (weight.name.startsWith('model.layers.') && weight.shape.length === 2) quantizedModules[moduleOf(weight.name)] = { bits }
  }
  return { ...dense, quantization: { format: 1, seedBits, maxBits, quantizedModules } }
}

function makeWeight(random: Random, name: string, shape: readonly number[], { quantizedModules }: Quantization): Weight {
  const [rows, cols] = shape
  const bits = quantizedModules[moduleOf(name)]?.bits
  try {
    if (bits !== undefined) return fastRandomPlanes(random, rows, cols, bits[0], bits[bits.length - 1])
    if (cols !== undefined) return fastRandomHalves(random, rows, cols)
    return { dtype: 'f32', shape, data: new Float32Array(rows).fill(name.endsWith('.bias') ? 0 : 1) }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new InvalidArgumentError('layers', 'fewer layers or a smaller vocabulary, since the weights do not fit in memory', name)
  }
}

function moduleOf(weight: string): string {
  return weight.replace(/\.weight$/, '')
}
