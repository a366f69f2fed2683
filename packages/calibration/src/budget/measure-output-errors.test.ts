import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BitPlaneWeight, dequantize, FileFormatError, InvalidArgumentError, type Program, type Tensor } from '@dpllm/core'
import { writeSafetensors } from '@dpllm/core/node'
import { centralDifference, relativeError, runInF64 } from '@dpllm/core/testing'
import { probeCpu } from '@dpllm/cpu-kernels'
import { decoderProgram, loadModel, type Model } from '@dpllm/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { allocateBits } from '../allocation/allocate-bits.js'
import { writeQuantizedTinyModel } from '../testing/quantized-tiny-model.js'
import { drawLabels } from './draw-labels.js'
import { meanErrorCosts } from './mean-error-costs.js'
import { type MeasureOutputErrorsOptions, measureOutputErrors } from './measure-output-errors.js'
import { mostBitsProgram } from './measured-linears.js'
import type { OutputErrors } from './output-errors.js'

const windows = [Uint32Array.of(1, 5, 9, 7, 12, 20, 3), Uint32Array.of(6, 6, 2, 30, 31), Uint32Array.of(9, 8, 7, 6, 5, 4, 17)]
const TOKENS = 6 + 4 + 6

let directory: string
let folder: string
let model: Model
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-errors-'))
  await writeQuantizedTinyModel(directory)
  model = await loadModel(join(directory, 'quantized'), { backend: 'reference', profile: false })
})
afterAll(async () => {
  await model[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})
beforeEach(async () => {
  folder = await mkdtemp(join(directory, 'errors-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const measure = (options: Partial<MeasureOutputErrorsOptions> = {}, of = model) =>
  measureOutputErrors(of, windows, { folder, fingerprint: 'these windows', labels: 'text', ...options })

/** A window as a step that sees every token but the last and predicts every one but the first. */
const stepOf = (window: Uint32Array) => {
  const tokens = window.slice(0, -1)
  return { tokens, position: 0, rows: tokens.map((_, row) => row), targets: window.slice(1) }
}

/** The program with an input `delta` that is added to what a linear writes. */
function shifted(program: Program, out: string): Program {
  const [{ shape }, before] = [program.values[out], `${out}:before`]
  return {
    ...program,
    values: { ...program.values, [before]: { dtype: 'f32', shape }, delta: { dtype: 'f32', shape } },
    inputs: ['delta'],
    operators: program.operators.flatMap((op) =>
      op.kind === 'linear' && op.out === out
        ? [
            { ...op, out: before },
            { kind: 'add' as const, a: before, b: 'delta', out },
          ]
        : [op],
    ),
  }
}

/** By the definition, f64: gradients by differences of the loss, products with dense matrices. Errors [bit counts][tokens]. */
function bruteForce(module: string, model: Model, targetsOf: (window: Uint32Array, i: number) => Uint32Array): number[][] {
  const program = mostBitsProgram(decoderProgram(model.config).program)
  const linear = program.operators.find((op) => op.kind === 'linear' && op.weight === `${module}.weight`)
  if (linear?.kind !== 'linear') throw new Error(module)
  const moved = shifted(program, linear.out)
  const planes = model.weights.get(`${module}.weight`) as BitPlaneWeight
  const { rows, cols } = planes
  const [original, ...others] = [8, 3, 4, 5, 6, 7, 8].map((bits) => dequantize(planes, bits))
  const errors: number[][] = others.map(() => [])
  for (const [i, window] of windows.entries()) {
    const step = { ...stepOf(window), targets: targetsOf(window, i) }
    const x = runInF64(program, model.weights, { ...step, outputs: [linear.x] }).outputs[linear.x]
    const loss = (i: number, h: number) => {
      const delta = new Float64Array(step.tokens.length * rows)
      delta[i] = h
      const inputs = { delta } as unknown as Record<string, Float32Array>
      return runInF64(moved, model.weights, { ...step, inputs, outputs: ['loss'] }).outputs.loss.reduce((a, b) => a + b)
    }
    step.tokens.forEach((_, t) => {
      const gradients = Array.from({ length: rows }, (_, j) => centralDifference((h) => loss(t * rows + j, h)))
      others.forEach((quantized, b) => {
        const parts = gradients.map((gradient, j) => {
          let difference = 0
          for (let k = 0; k < cols; k++) difference += (quantized[j * cols + k] - original[j * cols + k]) * x[t * cols + k]
          return (gradient * difference) ** 2
        })
        errors[b].push(parts.reduce((a, b) => a + b))
      })
    })
  }
  return errors
}

test.each([
  'model.layers.0.self_attn.k_proj',
  'model.layers.0.mlp.gate_proj',
  'model.layers.1.self_attn.o_proj',
  'model.layers.1.mlp.down_proj',
])('errors of %s, by the definition in f64', async (module) => {
  await expectDefinition(module, model)
})

async function expectDefinition(module: string, model: Model, labels: 'text' | 'drawn' = 'text') {
  const logits = (window: Uint32Array) =>
    runInF64(decoderProgram(model.config).program, model.weights, stepOf(window)).outputs.logits
  const drawn = (window: Uint32Array, i: number) => drawLabels(Float32Array.from(logits(window)), window.length - 1, 7, i)
  const wanted = bruteForce(module, model, labels === 'text' ? (window) => window.slice(1) : drawn)
  const found = await measure({ labels, seed: 7 }, model)
  const { errors, weights, minBits } = found.linears.find((linear) => linear.module === module)!
  const { rows, cols } = model.linears.find((linear) => linear.module === module)!
  expect({ weights, minBits, tokens: found.tokens }).toEqual({ weights: rows * cols, minBits: 3, tokens: TOKENS })
  const means = wanted.map((perToken) => perToken.reduce((a, b) => a + b) / TOKENS)
  expect(errors).toHaveLength(6)
  // f32 sums of products whose differences are some hundredth of them; from 5 bits on rows of 24 weights have no error at all.
  expect(relativeError(errors, means)).toBeLessThan(1e-4)
  expect(means[1]).toBeGreaterThan(0)
  for (const b of [0, 1]) expect(errors[b] / means[b]).toBeCloseTo(1, 3)
  expect(errors[5]).toBe(0)
  const targets = await found.readTargets(module)
  expect(relativeError(targets, wanted[0])).toBeLessThan(1e-4)
}

test.each([
  ['Phi3ForCausalLM', 'model.layers.1.self_attn.qkv_proj'],
  ['Qwen2ForCausalLM', 'model.layers.0.self_attn.q_proj'],
])('fused projections and biases: %s', async (architecture, module) => {
  const other = join(directory, architecture)
  await writeQuantizedTinyModel(other, { architectures: [architecture] })
  await using model = await loadModel(join(other, 'quantized'), { backend: 'reference', profile: false })
  await expectDefinition(module, model)
})

test('labels drawn from the model itself', async () => {
  await expectDefinition('model.layers.1.self_attn.v_proj', model, 'drawn')
  await expect(measure({ labels: 'drawn', seed: 8 })).rejects.toThrow(FileFormatError)
})

test('features are what a probe reads at run time, rounded to f16', async () => {
  const found = await measure()
  const { program } = decoderProgram(model.config, { selectInputs: 'residual' })
  const features = new Map(program.operators.flatMap((op) => (op.kind === 'select' ? [[op.weight, op.x]] : [])))
  for (const { module, feature } of found.linears) {
    expect(feature).toBe(features.get(`${module}.weight`))
    const { shape, data } = await found.readFeatures(feature)
    expect(shape).toEqual([TOKENS, model.config.hiddenSize])
    const wanted = windows.flatMap((window) => [
      ...runInF64(program, model.weights, { ...stepOf(window), outputs: [feature] }).outputs[feature],
    ])
    expect(relativeError(data, wanted)).toBeLessThan(2 ** -11)
  }
  expect(new Set(features.values()).size).toBe(4)
})

/** Everything that was measured. */
async function readAll({ linears, readTargets, readFeatures }: OutputErrors) {
  const all = []
  for (const linear of linears)
    all.push({ ...linear, targets: await readTargets(linear.module), features: await readFeatures(linear.feature) })
  return all
}

test('fewer bits are measured where fewer are asked for, and the rest is the same', async () => {
  const whole = await measure()
  const maxBits = model.linears.map((_, i) => 3 + (i % 3))
  const capped = await measure({ maxBits, folder: join(folder, 'capped') })
  capped.linears.forEach(({ errors }, i) => {
    expect(errors).toEqual(whole.linears[i].errors.slice(0, 1 + (i % 3)))
  })
})

test('an interrupted run goes on where it was', async () => {
  const whole = await readAll(await measure())
  const again = join(folder, 'again')
  const stop = new AbortController()
  const onProgress = ({ done }: { done: number }) => {
    if (done >= 10) stop.abort(new Error('enough'))
  }
  await expect(measure({ folder: again, signal: stop.signal, onProgress })).rejects.toThrow('enough')
  const kept = await readdir(again)
  expect(kept.sort()).toEqual(['errors-0-0', 'errors-0-1', 'errors-1-0', 'errors-1-1'].map((name) => `${name}.safetensors`))
  await rm(join(again, 'errors-1-0.safetensors'))
  const steps: number[] = []
  const resumed = await measure({ folder: again, onProgress: ({ done }) => steps.push(done) })
  // All blocks of the windows that lack one.
  expect(steps).toEqual([10, 16])
  expect(await readAll(resumed)).toEqual(whole)
  const none: number[] = []
  expect(await readAll(await measure({ folder: again, onProgress: ({ done }) => none.push(done) }))).toEqual(whole)
  expect(none).toEqual([])
})

test.skipIf(!probeCpu().ok)('the CPU backend finds the same', async () => {
  const wanted = await readAll(await measure())
  await using native = await loadModel(join(directory, 'quantized'), { backend: 'cpu', arithmetic: 'precise', profile: false })
  const found = await readAll(await measure({ folder: join(folder, 'cpu') }, native))
  found.forEach(({ errors, targets, features }, i) => {
    expect(relativeError(errors, wanted[i].errors)).toBeLessThan(1e-3)
    expect(relativeError(targets, wanted[i].targets)).toBeLessThan(1e-3)
    expect(relativeError(features.data, wanted[i].features.data)).toBeLessThan(2 ** -10)
  })
})

test('what cannot be measured is refused', async () => {
  const run = (other: readonly Uint32Array[]) => measureOutputErrors(model, other, { folder, fingerprint: 'these windows' })
  await expect(run([])).rejects.toThrow(InvalidArgumentError)
  await expect(run([Uint32Array.of(1, 2), Uint32Array.of(1)])).rejects.toThrow(/at least two tokens/)
  await expect(measure({ maxBits: [3] })).rejects.toThrow(/14 bit counts/)
  await expect(measure({ maxBits: model.linears.map((_, i) => (i === 2 ? 9 : 4)) })).rejects.toThrow(
    /maxBits\[2\].*from 3 to 8, those of model\.layers\.0\.self_attn\.v_proj, found 9/,
  )
  await using original = await loadModel(join(directory, 'original'), { backend: 'reference' })
  await expect(measure({}, original)).rejects.toThrow(/a quantized model/)
  await measure()
  await expect(measure({ fingerprint: 'others' })).rejects.toThrow(FileFormatError)
  await expect(measure({ maxBits: model.linears.map(() => 4) })).rejects.toThrow(/another model, text or settings/)
})

test('numbers that overflow are named, and nothing is kept of them', async () => {
  const name = 'model.layers.1.input_layernorm.weight'
  const { shape, data } = model.weights.get(name) as Tensor<'f32'>
  for (const [value, message] of [
    [1e5, /layers\.1\.earlierAttentionNorm overflow/],
    [Number.NaN, /errors of model\.layers\.\d\.\S+ overflow/],
  ] as const) {
    const weights = new Map(model.weights).set(name, { dtype: 'f32', shape, data: Float32Array.from(data, () => value) })
    const error = await measure({}, { ...model, weights }).catch((e) => e)
    expect(error.code).toBe('ERR_DPLLM_NOT_FINITE')
    expect(error.message).toMatch(message)
    expect(await readdir(folder)).toEqual([])
  }
})

test('a file that does not hold what it should is named', async () => {
  const found = await measure({ maxBits: model.linears.map(() => 3) })
  await rm(join(folder, 'errors-0-1.safetensors'))
  await expect(found.readTargets('model.layers.0.mlp.up_proj')).rejects.toThrow(/errors-0-1\.safetensors/)
  const foreign = [{ name: 'x', dtype: 'f32' as const, shape: [1], data: new Float32Array(1) }]
  await writeSafetensors(join(folder, 'errors-0-1.safetensors'), foreign)
  await expect(found.readFeatures('layers.0.attentionNorm')).rejects.toThrow(FileFormatError)
})

test('mean errors are costs of a static allocation', async () => {
  const { linears } = await measure({ maxBits: model.linears.map(() => 5) })
  const costed = meanErrorCosts(linears)
  const { bits, averageBits, cost } = allocateBits(costed, { targetBits: 4 })
  expect(averageBits).toBeLessThanOrEqual(4)
  expect(new Set(bits)).toEqual(new Set([3, 4, 5]))
  // Less than what the same bits for all cost.
  expect(cost).toBeLessThan(linears.reduce((sum, { errors }) => sum + errors[1], 0))
})
