import { join } from 'node:path'
import {
  createRandom,
  createReferenceBackend,
  gradientProgram,
  matrixShape,
  type Program,
  pairThresholds,
  type Weight,
} from '@dpllm/core'
import { openCheckpoint, readText } from '@dpllm/core/node'
import { centralDifference, randomBitPlanes, relativeError, runInF64, type StepInF64 } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import type { ModelConfig } from '../config/model-config.js'
import { parseModelConfig, readModelConfig } from '../config/read-config.js'
import { readWeights } from '../load/read-weights.js'
import { loadTokenizer } from '../text/tokenizer.js'
import { type DecoderProgram, decoderProgram } from './decoder.js'
import { familyCases } from './testing/family-cases.js'
import { randomModel, randomTokens } from './testing/random-model.js'
import { stateDict } from './testing/state-dict.js'

const data = process.env.DPLLM_DATA

type Weights = ReadonlyMap<string, Weight>
type Dense = Extract<Weight, { dtype: 'f32' }>

/** A step whose loss is that of the next tokens. */
function nextTokens(ids: Uint32Array): StepInF64 {
  const tokens = ids.slice(0, -1)
  return { tokens, position: 0, rows: tokens.map((_, row) => row), targets: ids.slice(1) }
}

/** Σ loss; with `embedding`, in place of the embedding of the step's tokens. */
function lossOf({ program }: DecoderProgram, weights: Weights, step: StepInF64, embedding?: Float64Array): number {
  const later: Program = { ...program, operators: program.operators.filter((op) => op.kind !== 'embed'), inputs: ['embedding'] }
  const { outputs } = embedding
    ? runInF64(later, weights, { ...step, inputs: { embedding }, outputs: ['loss'] })
    : runInF64(program, weights, { ...step, outputs: ['loss'] })
  return outputs.loss.reduce((a, b) => a + b)
}

/** A random direction, ±1 for each element: one difference along it looks at every element. */
function direction(length: number, seed: number): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from({ length }, () => (random.uint32() & 1 ? 1 : -1))
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0)

/**
 * Compares the gradients of the embeddings and of the named linears with central differences along random directions, the
 * gradients computed in f64 and by the reference backend.
 */
async function expectGradients(
  decoder: DecoderProgram,
  weights: Weights,
  step: StepInF64,
  linears: readonly string[],
  h = 2 ** -12,
) {
  const reverse = gradientProgram(decoder.program, {
    loss: 'loss',
    of: ['embedding'],
    weights: linears.map((weight) => ({ weight, mode: 'sum' })),
  })
  const exact = runInF64(reverse, weights, { ...step, outputs: ['embedding', 'grad:embedding'] })
  await using compiled = await createReferenceBackend().compile(reverse, weights)
  using cache = compiled.createCache(step.tokens.length)
  const single = await compiled.run({ ...step, inputs: undefined, cache, outputs: ['grad:embedding'] })

  const seeds = [1, 2, 3, 4]
  const { embedding } = exact.outputs
  const along = (gradient: ArrayLike<number>) => seeds.map((seed) => dot(gradient, direction(gradient.length, seed)))
  const wanted = seeds.map((seed) => {
    const d = direction(embedding.length, seed)
    return centralDifference(
      (s) =>
        lossOf(
          decoder,
          weights,
          step,
          embedding.map((x, i) => x + s * d[i]),
        ),
      h,
    )
  })
  expect(relativeError(along(exact.outputs['grad:embedding']), wanted), 'embedding, f64').toBeLessThan(1e-6)
  expect(relativeError(along(single.outputs['grad:embedding']), wanted), 'embedding, f32').toBeLessThan(1e-3)

  for (const name of linears) {
    const { data, ...tensor } = weights.get(name) as Dense
    const wanted = seeds.slice(0, 2).map((seed) => {
      const d = direction(data.length, seed)
      // The head alone: where it is tied, the embedding is an input.
      return centralDifference((s) => {
        const moved = new Map(weights).set(name, { ...tensor, data: data.map((w, i) => w + s * d[i]) })
        return lossOf(decoder, moved, step, embedding)
      }, h)
    })
    const found = (gradient: ArrayLike<number>) => along(gradient).slice(0, 2)
    expect(relativeError(found(exact.accumulators[`sum:${name}`]), wanted), `${name}, f64`).toBeLessThan(1e-6)
    expect(relativeError(found(await compiled.accumulator(`sum:${name}`)), wanted), `${name}, f32`).toBeLessThan(1e-3)
  }
}

/** Multiples of 2^-16, so that f32 weights move by exactly the step of a difference. */
function rounded(weights: Weights): Map<string, Weight> {
  const round = (data: Float32Array) => data.map((w) => Math.round(w * 2 ** 16) / 2 ** 16)
  return new Map([...weights].map(([name, w]) => [name, { ...(w as Dense), data: round((w as Dense).data) }]))
}

function frequencies({ rope }: ModelConfig): Weight {
  return { dtype: 'f32', shape: [rope.frequencies.length], data: rope.frequencies }
}

function linearsOf({ program }: DecoderProgram): string[] {
  return program.operators.flatMap((op) => (op.kind === 'linear' ? [op.weight] : []))
}

describe.each(familyCases)('$name', ({ config: json, contextLength }) => {
  const config = parseModelConfig(json, 'config.json', contextLength === undefined ? {} : { contextLength })
  const decoder = decoderProgram(config)
  const weights = rounded(randomModel(json, 5)).set(decoder.frequencies, frequencies(config))

  test('gradients of the whole model, by differences', async () => {
    const step = nextTokens(randomTokens(13, config.vocabularySize, 6))
    await expectGradients(decoder, weights, step, linearsOf(decoder))
  })
})

test('a quantized model whose tokens read different bits', async () => {
  const json = familyCases.find(({ name }) => name === 'phi3')!.config
  const modules = stateDict(json).flatMap(([name]) => (name.includes('_proj') ? [name.replace(/\.weight$/, '')] : []))
  const quantizedModules = Object.fromEntries(modules.map((module) => [module, { bits: [3, 4, 5] }]))
  const config = parseModelConfig({ ...json, dpllm: { format: 1, seedBits: 3, maxBits: 5, quantizedModules } }, 'config.json')
  const decoder = decoderProgram(config)
  const weights = new Map<string, Weight>(randomModel(json, 5))
  weights.set(decoder.frequencies, frequencies(config))
  for (const module of modules) {
    const [rows, cols] = matrixShape(weights.get(`${module}.weight`)!)
    weights.set(`${module}.weight`, randomBitPlanes(modules.indexOf(module), rows, cols, 3, 5))
  }
  const step = nextTokens(randomTokens(13, config.vocabularySize, 6))
  const estimators = modules.map(() => ({ kind: 'exact', low: 3, high: 5 }) as const)
  const policyAt = (thresholds: number[]) => ({
    estimators,
    thresholds: Float32Array.from(thresholds.flatMap((t) => [...pairThresholds(3, 5, t)])),
  })
  const { estimates } = runInF64(decoder.program, weights, { ...step, policy: policyAt(modules.map(() => 0)), outputs: ['loss'] })
  const T = step.tokens.length
  const means = modules.map((_, i) => estimates.subarray(i * T, (i + 1) * T).reduce((a, b) => a + b) / T)
  const policy = policyAt(means)
  const { bits } = runInF64(decoder.program, weights, { ...step, policy, outputs: ['loss'] })
  expect([...new Set(bits)].sort()).toEqual([3, 5])
  // Steps so small that no estimate passes its threshold.
  await expectGradients(decoder, weights, { ...step, policy }, [], 2 ** -18)
})

test.skipIf(!data)('stories260K: every linear, and the embeddings of a story one by one', async () => {
  const directory = join(data!, 'stories260K')
  const config = await readModelConfig(directory)
  const decoder = decoderProgram(config)
  await using checkpoint = await openCheckpoint(directory)
  const tokenizer = await loadTokenizer(directory)
  const story = await readText(join(data!, 'tinystories', 'valid-a.txt'))
  const weights = rounded(await readWeights(checkpoint, config, decoder))
  weights.set(decoder.frequencies, frequencies(config))
  const step = nextTokens(Uint32Array.from(tokenizer.encode(story.slice(0, 200))).slice(0, 40))
  await expectGradients(decoder, weights, step, linearsOf(decoder))

  const reverse = gradientProgram(decoder.program, { loss: 'loss', of: ['embedding'] })
  const { outputs } = runInF64(reverse, weights, { ...step, outputs: ['embedding', 'grad:embedding'] })
  const random = createRandom(9)
  const elements = Array.from({ length: 40 }, () => random.uint32() % outputs.embedding.length)
  const wanted = elements.map((i) =>
    centralDifference((h) => {
      const moved = outputs.embedding.slice()
      moved[i] += h
      return lossOf(decoder, weights, step, moved)
    }),
  )
  const found = elements.map((i) => outputs['grad:embedding'][i])
  expect(relativeError(found, wanted)).toBeLessThan(1e-6)
})
