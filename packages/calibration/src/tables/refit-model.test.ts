import {
  type BitPlaneWeight,
  createRandom,
  createReferenceBackend,
  dequantize,
  type FloatTensor,
  f16ToF32,
  isBitPlanes,
  type Progress,
  toFloat16,
  toFloat32,
  type Weight,
} from '@dpllm/core'
import { randomTensor } from '@dpllm/core/testing'
import { decoderProgram, parseModelConfig } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import { quantizeRows } from '../quantizer/quantize-rows.js'
import { linearsOf } from '../sensitivity/linears.js'
import { tinyConfig } from '../testing/tiny-model.js'
import { inputCovariances, type RunnableModel } from './input-covariance.js'
import { refitModel } from './refit-model.js'
import { refitTables, rowsOf } from './refit-tables.js'
import { typescriptTableRefitter } from './refitter.js'

const bits = [3, 4, 5]

/** A Llama of two blocks with random weights, some in half precision, and its linears at 3 to 6 bits. */
function tinyModel(): { original: RunnableModel; quantized: Map<string, BitPlaneWeight> } {
  const config = parseModelConfig(tinyConfig, 'config.json')
  const { program, weights: specs, frequencies } = decoderProgram(config)
  const random = createRandom(9)
  const weights = new Map<string, Weight>()
  for (const { name, shape } of specs) {
    const tensor = randomTensor(random, shape, 0.3)
    const half: FloatTensor = { dtype: 'f16', shape, data: toFloat16(tensor.data) }
    weights.set(name, name.includes('gate_proj') ? half : tensor)
  }
  weights.set(frequencies, { dtype: 'f32', shape: [config.rope.frequencies.length], data: config.rope.frequencies })
  const quantized = new Map<string, BitPlaneWeight>()
  for (const { module, weight, cols } of linearsOf(program)) {
    if (module === 'lm_head') continue
    quantized.set(weight, quantizeRows(toFloat32(weights.get(weight) as FloatTensor), { cols, maxBits: 6 }))
  }
  return { original: { backend: createReferenceBackend(), program, weights }, quantized }
}

const { original, quantized } = tinyModel()
const random = createRandom(10)
const windows = Array.from({ length: 6 }, () => Uint32Array.from({ length: 24 }, () => random.uint32() % 50))
const refitter = typescriptTableRefitter()

/** E‖(W − Ŵ) x‖² at some bits, times tokens, with the damping. */
function outputError(weight: BitPlaneWeight, exact: Float32Array, covariance: Float32Array, b: number): number {
  const { rows, cols } = weight
  const off = dequantize(weight, b).map((w, i) => exact[i] - w)
  let error = 0
  for (let n = 0; n < rows; n++) {
    for (let i = 0; i < cols; i++) {
      for (let j = 0; j < cols; j++) error += off[n * cols + i] * covariance[i * cols + j] * off[n * cols + j]
    }
  }
  return error
}

test('the error of the output of every linear falls at every bit count', async () => {
  const covariances = new Map<string, Float32Array>()
  const linears = linearsOf(original.program).filter(({ weight }) => quantized.has(weight))
  const inputs = [...new Set(linears.map(({ x }) => x))]
  for await (const { value, covariance } of inputCovariances(original, inputs, windows)) covariances.set(value, covariance)

  const progress: Progress[] = []
  const names: string[] = []
  const options = { bits, refitter, onProgress: (p: Progress) => void progress.push(p) }
  for await (const { name, luts } of refitModel(original, quantized, windows, options)) {
    names.push(name)
    const weight = quantized.get(name)!
    const exact = toFloat32(original.weights.get(name) as FloatTensor)
    const covariance = covariances.get(linears.find((linear) => linear.weight === name)!.x)!
    for (const b of bits) {
      const [before, after] = [weight, { ...weight, luts }].map((w) => outputError(w, exact, covariance, b))
      expect(after, `${name} at ${b} bits`).toBeLessThan(0.98 * before)
      const values = Array.from(luts[b - 3], f16ToF32)
      expect(values.every((value, i) => i % 2 ** b === 0 || value >= values[i - 1])).toBe(true)
    }
    // Not asked for.
    expect(luts[3]).toBe(weight.luts[3])
  }
  expect(names).toEqual(linears.map(({ weight }) => weight))
  expect(new Set(progress.map(({ stage }) => stage))).toEqual(new Set(['covariances', 'least squares']))
  expect(progress.at(-1)!.done).toBe(progress.at(-1)!.total)
})

test('does not depend on groups, or on what else is fitted', async () => {
  const all = new Map<string, readonly Uint16Array[]>()
  for await (const { name, luts } of refitModel(original, quantized, windows, { refitter })) all.set(name, luts)
  const some = new Map([...quantized].slice(-5))
  for await (const { name, luts } of refitModel(original, some, windows, { refitter, covarianceBytes: 1 })) {
    expect(luts).toEqual(all.get(name))
    some.delete(name)
  }
  expect(some.size).toBe(0)
})

test('what does not fit is refused', async () => {
  const run = async (model: RunnableModel, planes: Map<string, BitPlaneWeight>, signal?: AbortSignal) => {
    for await (const _ of refitModel(model, planes, windows, { refitter, signal }));
  }
  const [[name, weight]] = quantized
  const swapped = new Map([[name, quantizeRows(new Float32Array(24), { cols: 24 })]])
  await expect(run(original, swapped)).rejects.toThrow(/q_proj\.weight: expected bit-planes of 24 × 24, found "1 × 24"/)
  const noOriginal = { ...original, weights: new Map([...original.weights, [name, weight] as const]) }
  await expect(run(noOriginal, quantized)).rejects.toThrow(/a dense weight in the original model/)
  const operators = original.program.operators.map((op) =>
    op.kind === 'linear' && op.weight.includes('k_proj') ? { ...op, weight: op.weight.replace('k_proj', 'v_proj') } : op,
  )
  await expect(run({ ...original, program: { ...original.program, operators } }, quantized)).rejects.toThrow(/several linears/)
  await expect(run(original, quantized, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})

test('arguments of one weight are checked, and an abort is seen between calls', async () => {
  const [[name, weight]] = quantized
  const exact = original.weights.get(name) as FloatTensor
  const identity = Float32Array.from({ length: 24 * 24 }, (_, i) => (i % 25 === 0 ? 1 : 0))
  await expect(refitTables(weight, rowsOf(exact), new Float32Array(5))).rejects.toMatchObject({ argument: 'covariance' })
  await expect(refitTables(weight, () => new Float32Array(5), identity)).rejects.toMatchObject({ argument: 'original' })
  const broken = (_: number, count: number) => new Float32Array(24 * count).fill(Number.NaN, 30)
  await expect(refitTables(weight, broken, identity, { refitter })).rejects.toThrow(/NaN at row 1, column 6/)

  expect(await refitTables(weight, rowsOf(exact), identity, { bits: [8] })).toEqual(weight.luts)
  const controller = new AbortController()
  const oneByOne = { ...refitter, rowsPerCall: () => 1 }
  const onRows = (done: number) => done === 3 && controller.abort(new Error('enough'))
  const options = { refitter: oneByOne, signal: controller.signal, onRows }
  await expect(refitTables(weight, rowsOf(exact), identity, options)).rejects.toThrow('enough')
  expect(await refitTables(weight, rowsOf(exact), identity, { refitter: oneByOne })).toEqual(
    await refitTables(weight, rowsOf(exact), identity),
  )
  expect([...original.weights.values()].some((w) => !isBitPlanes(w) && w.dtype === 'f16')).toBe(true)
})
