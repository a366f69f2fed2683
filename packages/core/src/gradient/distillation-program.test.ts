import { expect, test } from 'vitest'
import { gradientModel, samples, VOCABULARY } from '../../test/gradient-model.js'
import { quantizedModel } from '../../test/quantized-model.js'
import { staticPolicy } from '../backend/policy.js'
import { unpackPlanes } from '../bit-planes/pack.js'
import { type BitPlaneWeight, tableOffset } from '../bit-planes/weight.js'
import { UnsupportedError } from '../errors.js'
import { f16ToF32, f32ToF16 } from '../float16.js'
import { checkProgram } from '../program/check.js'
import type { Operator } from '../program/operators.js'
import { createRandom } from '../random.js'
import { createReferenceBackend } from '../reference/backend.js'
import { centralDifference, randomTensor, relativeError, runInF64 } from '../testing/index.js'
import { distillationProgram } from './distillation-program.js'
import { gradientProgram } from './gradient-program.js'
import { mixedProgram } from './mixed-program.js'
import { accumulatorName, type WeightGradient } from './names.js'

const { program, weights, names } = quantizedModel()
const student = distillationProgram(program)
const [{ targets, ...sample }] = samples
const teacher = randomTensor(createRandom(4), [targets.length, VOCABULARY]).data
const policy = staticPolicy([3, 5, 6])
const step = { ...sample, policy, inputs: { teacher } }
const sum = (x: Float64Array) => x.reduce((a, b) => a + b)

test('the divergence by hand, and 0 from a teacher with the same probabilities', () => {
  const { outputs } = runInF64(student, weights, { ...step, outputs: ['logits', 'divergence'] })
  const softmax = (logits: ArrayLike<number>) => {
    const powers = Array.from(logits, Math.exp)
    return powers.map((power) => power / powers.reduce((a, b) => a + b))
  }
  outputs.divergence.forEach((found, r) => {
    const row = (x: Float32Array | Float64Array) => softmax(x.subarray(r * VOCABULARY, (r + 1) * VOCABULARY))
    const [P, Q] = [row(teacher), row(outputs.logits)]
    expect(found).toBeCloseTo(
      P.reduce((kl, p, v) => kl + p * Math.log(p / Q[v]), 0),
      12,
    )
    expect(found).toBeGreaterThan(0)
  })
  const same = runInF64(student, weights, {
    ...step,
    inputs: { teacher: outputs.logits.map((x) => x + 3) },
    outputs: ['divergence'],
  })
  for (const found of same.outputs.divergence) expect(Math.abs(found)).toBeLessThan(1e-14)
})

test('its gradient, through the model, by differences', () => {
  const reverse = gradientProgram(student, { loss: 'divergence', lossScale: 0.5, of: ['x0'] })
  expect(reverse.inputs).toEqual(['teacher'])
  const { outputs } = runInF64(reverse, weights, { ...step, outputs: ['x0', 'grad:x0'] })
  const later = { ...student, operators: student.operators.slice(1), inputs: ['x0', 'teacher'] }
  const loss = (x0: Float64Array) =>
    0.5 * sum(runInF64(later, weights, { ...step, inputs: { teacher, x0 }, outputs: ['divergence'] }).outputs.divergence)
  const differences = Array.from(outputs.x0, (x, i) => centralDifference((h) => loss(outputs.x0.with(i, x + h))))
  expect(relativeError(outputs['grad:x0'], differences)).toBeLessThan(1e-6)
})

test('gradients of the tables by differences, at the bits that every linear reads', async () => {
  // Multiples of 2^-9 below 1: halves that a difference's step of 2^-9 leaves exact.
  const exact = new Map(weights)
  for (const name of names) {
    const weight = exact.get(name) as BitPlaneWeight
    const luts = weight.luts.map((lut) => lut.map((half) => f32ToF16(Math.round(f16ToF32(half) * 2 ** 13) / 2 ** 9)))
    exact.set(name, { ...weight, luts })
  }
  const wanted = names.map((name) => ({ weight: name, mode: 'tables' as const, seedBits: 3, maxBits: 6 }))
  const reverse = gradientProgram(student, { loss: 'divergence', weights: wanted })
  const { accumulators } = runInF64(reverse, exact, { ...step, outputs: [] })
  await using compiled = await createReferenceBackend().compile(reverse, exact)
  using cache = compiled.createCache(8)
  await compiled.run({ ...step, cache, outputs: [] })

  for (const [i, name] of names.entries()) {
    const weight = exact.get(name) as BitPlaneWeight
    const bits = [3, 5, 6][i]
    const lut = weight.luts[bits - 3]
    const changed = (entry: number, h: number) => {
      const luts = weight.luts.with(bits - 3, lut.with(entry, f32ToF16(f16ToF32(lut[entry]) + h)))
      const result = runInF64(student, new Map(exact).set(name, { ...weight, luts }), { ...step, outputs: ['divergence'] })
      return sum(result.outputs.divergence)
    }
    const differences = Array.from(lut, (_, entry) => centralDifference((h) => changed(entry, h), 2 ** -9))
    const found = accumulators[`tables:${name}`]
    const entries = found.length / weight.rows
    const inF32 = await compiled.accumulator(`tables:${name}`)
    const readTables = (of: Float32Array | Float64Array) =>
      Array.from(lut, (_, entry) => of[(entry >> bits) * entries + tableOffset(weight, bits) + (entry & (2 ** bits - 1))])
    expect(relativeError(readTables(found), differences)).toBeLessThan(1e-6)
    expect(relativeError(readTables(inF32), differences)).toBeLessThan(1e-3)
    // The tables of other bit counts are not read.
    expect(found.filter((x) => x !== 0).length).toBe(readTables(found).filter((x) => x !== 0).length)
  }
})

test('an entry has the sum of the gradients of the weights that read it; several linears add to one accumulator', () => {
  const [weight] = names
  const operators = student.operators.map((op): Operator => {
    if (op.kind !== 'linear' || !op.bits) return op
    const { bits: _, ...linear } = op
    return { ...linear, weight: op.out === 'up1' ? weight : op.weight }
  })
  const wanted: WeightGradient[] = [
    { weight, mode: 'tables', seedBits: 3, maxBits: 6 },
    { weight, mode: 'sum' },
  ]
  const reverse = gradientProgram({ ...student, operators }, { loss: 'divergence', weights: wanted })
  expect(reverse.operators.filter(({ kind }) => kind === 'accumulateTables').length).toBe(2)
  const { accumulators } = runInF64(reverse, weights, { ...step, policy: undefined, outputs: [] })
  const [tables, gradient] = wanted.map((of) => accumulators[accumulatorName(of)])

  const { planes, rows, cols } = weights.get(weight) as BitPlaneWeight
  const sums = new Float64Array(tables.length)
  unpackPlanes(planes, rows, cols, 6).forEach((code, i) => {
    sums[Math.floor(i / cols) * (tables.length / rows) + 2 ** 6 - 2 ** 3 + code] += gradient[i]
  })
  expect(relativeError(tables, sums)).toBeLessThan(1e-14)
})

test('what has no logits, no loss or no tables is refused', () => {
  expect(() => distillationProgram({ values: {}, operators: [], caches: [] })).toThrow(/the value logits/)
  expect(() => distillationProgram(student)).toThrow(/without a teacher/)
  expect(() => gradientProgram(student, { loss: 'logits' })).toThrow(/crossEntropy or a klDivergence/)
  const dense = distillationProgram(gradientModel().program)
  const tables = { weight: 'w.up1', mode: 'tables' as const, seedBits: 3, maxBits: 6 }
  const reverse = gradientProgram(dense, { loss: 'divergence', weights: [tables] })
  expect(() => checkProgram(reverse, gradientModel().weights)).toThrow(/expected bit-planes/)
  const larger = gradientProgram(student, { loss: 'divergence', weights: [{ ...tables, maxBits: 7 }] })
  expect(() => checkProgram(larger, weights)).toThrow(/accumulator tables:w\.up1/)
  expect(() => gradientProgram(mixedProgram(student), { loss: 'divergence', weights: [tables] })).toThrow(UnsupportedError)
})
