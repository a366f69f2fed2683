import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BitPlaneWeight,
  distillationProgram,
  f16ToF32,
  f32ToF16,
  staticPolicy,
  tableEntries,
  tableOffset,
} from '@dpllm/core'
import { centralDifference, relativeError, runInF64 } from '@dpllm/core/testing'
import { decoderProgram, loadModel, type Model } from '@dpllm/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quantizeModel } from '../quantizer/quantize-model.js'
import { typescriptRowQuantizer } from '../quantizer/row-quantizer.js'
import { writeTinyModel } from '../testing/tiny-model.js'
import { createDistillation } from './distillation.js'
import { trainStep } from './train.js'
import { type TrainedTable, tablesOf } from './trained-tables.js'

const LENGTH = 6
const windows = [
  [5, 4, 8, 4, 9, 7],
  [1, 12, 30, 2, 2, 11],
].map((ids) => Uint32Array.from(ids))
const options = { backend: 'reference', profile: false } as const

let directory: string
let teacher: Model
let student: Model
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-distil-'))
  const [original, quantized] = [join(directory, 'original'), join(directory, 'quantized')]
  await writeTinyModel(original, { edit: (t) => ({ ...t, data: t.data.map((x) => (t.shape.length > 1 ? 4 * x : 1)) }) })
  await quantizeModel(original, quantized, { calibrationText: false, quantizer: typescriptRowQuantizer() })
  teacher = await loadModel(original, options)
  student = await loadModel(quantized, { ...options, maxBits: 5 })
})
afterAll(async () => {
  await teacher[Symbol.asyncDispose]()
  await student[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

const weightOf = (name: string) => student.weights.get(name) as BitPlaneWeight
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b)

test('the gradient of the mean divergence over a batch, by differences in f64', async () => {
  await using distillation = await createDistillation({ teacher, student, length: LENGTH, batch: 2 })
  const bits = distillation.linears.map((_, i) => 3 + (i % 3))
  const policy = staticPolicy(bits)
  const program = distillationProgram(decoderProgram(student.config).program)
  const rows = Uint32Array.from(windows[0], (_, row) => row)
  using cache = teacher.createCache(LENGTH)
  const steps = await Promise.all(
    windows.map(async (tokens) => {
      const { outputs } = await teacher.run({ tokens, position: 0, cache, rows, outputs: ['logits'] })
      return { tokens, position: 0, rows, policy, inputs: { teacher: outputs.logits }, outputs: ['divergence'] }
    }),
  )
  const loss = (weights: Map<string, unknown>) =>
    sum(
      steps.map((step) =>
        sum(runInF64(program, weights as typeof student.weights & Map<string, never>, step).outputs.divergence),
      ),
    ) /
    (2 * LENGTH)

  for (const window of windows) await distillation.accumulate(window, policy)
  const measured = await Promise.all(windows.map((window) => distillation.divergences(window, [policy, policy])))
  for (const [one, same] of measured) expect(same).toBe(one)
  expect(sum(measured.map(([divergence]) => divergence)) / 2).toBeCloseTo(loss(new Map(student.weights)), 6)

  for (const i of [1, 8, 12]) {
    const name = distillation.linears[i]
    const weight = weightOf(name)
    const gradient = await distillation.takeGradient(name)
    const lut = weight.luts[bits[i] - 3]
    const [size, entries] = [2 ** bits[i], tableEntries(weight)]
    const places = [0, 3, size + 2, 5 * size + 1]
    const differences = places.map((entry) =>
      centralDifference((h) => {
        const changed = lut.with(entry, f32ToF16(f16ToF32(lut[entry]) + h))
        // What halves can say is near h; the loss is as if it were h.
        const by = f16ToF32(changed[entry]) - f16ToF32(lut[entry])
        const luts = weight.luts.with(bits[i] - 3, changed)
        return (
          (h / by) *
          (loss(new Map<string, unknown>(student.weights).set(name, { ...weight, luts })) - loss(new Map(student.weights)))
        )
      }, 2 ** -7),
    )
    const found = places.map((entry) => {
      const row = Math.floor(entry / size)
      return gradient[row * entries + tableOffset(weight, bits[i]) + (entry % size)]
    })
    expect(relativeError(Float32Array.from(found), differences)).toBeLessThan(1e-3)
    expect((await distillation.takeGradient(name)).every((x) => x === 0)).toBe(true)
  }
})

test('steps on the same windows bring the student nearer to its teacher, by the tables that were read alone', async () => {
  await using distillation = await createDistillation({ teacher, student, length: LENGTH, batch: 2 })
  const bits = [3, 4, 5]
  const tables = distillation.linears.flatMap((name) => {
    const weight = weightOf(name)
    return tablesOf(name, weight, bits, new Float32Array(weight.rows).fill(0.4))
  })
  const settings = { steps: 40, batch: 2, learningRate: 0.02, seed: 5, bits: [3] }
  const before = tables.map(({ values }) => values.slice())
  const policy = staticPolicy(distillation.linears.map(() => 3))
  const loss = async () => sum(await Promise.all(windows.map(async (w) => (await distillation.divergences(w, [policy]))[0])))
  const first = await loss()
  expect(first).toBeGreaterThan(0.02)
  for (let step = 0; step < settings.steps; step++) await trainStep(distillation, tables, windows, step, settings)
  expect(await loss()).toBeLessThan(0.3 * first)
  const changed = (table: TrainedTable, i: number) => table.values.some((value, j) => value !== before[i][j])
  expect(tables.filter(changed).every((table) => table.bits === 3)).toBe(true)
  for (const table of tables) expect(table.moments.steps).toBe(table.bits === 3 ? settings.steps : 0)
})
