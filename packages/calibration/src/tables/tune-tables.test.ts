import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { f16ToF32, InvalidArgumentError, UnsupportedError } from '@dpllm/core'
import { openCheckpoint } from '@dpllm/core/node'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { quantizeModel } from '../quantizer/quantize-model.js'
import { typescriptRowQuantizer } from '../quantizer/row-quantizer.js'
import { readFolder } from '../testing/read-folder.js'
import { type TinyTensor, writeTinyModel } from '../testing/tiny-model.js'
import type { TableStartContext } from './table-start.js'
import { type TuneTablesOptions, tuneTables } from './tune-tables.js'
import { tuningOf } from './tuned-tables-file.js'

let models: string
let original: string
let quantized: string
let directory: string
let out: string

/** So large that the model prefers some tokens to others. */
const confident = ({ data, ...t }: TinyTensor): TinyTensor => ({ ...t, data: data.map((x) => (t.shape.length > 1 ? 4 * x : 1)) })
const quantize = (source: string, to: string, options: Parameters<typeof quantizeModel>[2] = {}) =>
  quantizeModel(source, to, { calibrationText: false, quantizer: typescriptRowQuantizer(), shardBytes: 1, ...options })
const tuning: TuneTablesOptions = {
  calibrationText: 'the cat sat on the mat and saw a dog. '.repeat(40),
  sequenceLength: 16,
  steps: 24,
  batch: 2,
  backend: 'reference',
}

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'dpllm-tune-'))
  original = join(models, 'original')
  quantized = join(models, 'quantized')
  await writeTinyModel(original, { edit: confident })
  await quantize(original, quantized)
})
afterAll(() => rm(models, { recursive: true }))
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-tuned-'))
  out = join(directory, 'tuned')
})
afterEach(() => rm(directory, { recursive: true }))

async function readTensors(folder: string): Promise<Map<string, ArrayLike<number>>> {
  await using checkpoint = await openCheckpoint(folder)
  const names = [...checkpoint.tensors.keys()].sort()
  return new Map(await Promise.all(names.map(async (name) => [name, (await checkpoint.read(name)).data] as const)))
}

test('tuned tables are nearer to the original on windows that they were not trained on; nothing else changes', async () => {
  const { before, after, ...report } = await tuneTables(original, quantized, out, { ...tuning, bits: [3, 4, 5] })
  expect(report).toMatchObject({ steps: 24, batch: 2, windowTokens: 16, trainingWindows: 56, heldOutWindows: 8 })
  expect(Object.keys(before).sort()).toEqual(['3', '3.5', '4', '4.5', '5'])
  // Few steps read 5 bits.
  expect(report.bits.filter((b) => b < 5)).toEqual([3, 4])
  expect(after[5]).toBeLessThanOrEqual(before[5])
  for (const t of [3, 3.5, 4]) expect(after[t]).toBeLessThan(0.8 * before[t])

  const [was, is] = [await readTensors(quantized), await readTensors(out)]
  expect([...is.keys()]).toEqual([...was.keys()])
  for (const [name, data] of is) {
    const tuned = /^model\.layers.*\.lut([34])$/.exec(name)
    if (tuned === null && !name.endsWith('.lut5')) expect(data, name).toEqual(was.get(name))
    if (tuned !== null) {
      expect(data, name).not.toEqual(was.get(name))
      const size = 2 ** Number(tuned[1])
      for (let i = 0; i < data.length; i++)
        if (i % size > 0) expect(f16ToF32(data[i])).toBeGreaterThanOrEqual(f16ToF32(data[i - 1]))
    }
  }
  expect(await readdir(out)).toEqual(await readdir(quantized))
  expect(await readdir(directory)).toEqual(['tuned'])
  const { profilesLeft, ...said } = report
  expect(profilesLeft).toEqual([])
  expect(await tuningOf(join(out, 'model-00002-of-00004.safetensors'))).toMatchObject({ ...said, before, after })
})

test('the same arguments give the same bytes, another seed others; a model is tuned in its own place', async () => {
  const other = join(directory, 'other')
  await tuneTables(original, quantized, out, tuning)
  const wanted = await readFolder(out)
  await tuneTables(original, quantized, other, { ...tuning, seed: 1 })
  expect(await readFolder(other)).not.toEqual(wanted)
  await rm(other, { recursive: true })
  await quantize(original, other)
  await expect(tuneTables(original, other, other, tuning)).rejects.toThrow(/overwrite: true/)
  await tuneTables(original, other, other, { ...tuning, overwrite: true })
  expect(await readFolder(other)).toEqual(wanted)
})

test('bit counts that training makes worse keep their tables', async () => {
  const { bits, before, after } = await tuneTables(original, quantized, out, { ...tuning, learningRate: 1e4 })
  expect(bits).toEqual([])
  expect(after).toEqual(before)
  expect(await readTensors(out)).toEqual(await readTensors(quantized))
})

test('only the bit counts asked for are tuned', async () => {
  const { bits, before } = await tuneTables(original, quantized, out, { ...tuning, bits: [4] })
  expect(bits).toEqual([4])
  expect(Object.keys(before)).toEqual(['4'])
  const [was, is] = [await readTensors(quantized), await readTensors(out)]
  const name = 'model.layers.1.mlp.up_proj.lut'
  expect(is.get(`${name}3`)).toEqual(was.get(`${name}3`))
  expect(is.get(`${name}4`)).not.toEqual(was.get(`${name}4`))
})

test('tables start from what the start makes of them', async () => {
  const start = {
    name: 'nothing but zeros',
    apply: async ({ student }: TableStartContext) => {
      for (const weight of student.weights.values()) if ('luts' in weight) for (const lut of weight.luts) lut.fill(0)
    },
  }
  const { bits } = await tuneTables(original, quantized, out, { ...tuning, steps: 1, start })
  expect(bits).toEqual([])
  await tuneTables(original, quantized, join(directory, 'same'), {
    ...tuning,
    start: { name: 'as they are', apply: async () => {} },
  })
  await tuneTables(original, quantized, join(directory, 'without'), { ...tuning, start: false })
  expect(await readTensors(join(directory, 'same'))).toEqual(await readTensors(join(directory, 'without')))
})

test('an aborted run goes on where it was', async () => {
  await tuneTables(original, quantized, out, tuning)
  const wanted = await readFolder(out)
  const other = join(directory, 'other')
  for (const [stage, done] of [
    ['measure tables', 1],
    ['tune tables', 9],
    ['write tables', 2],
  ] as const) {
    const controller = new AbortController()
    const steps: number[] = []
    const run = tuneTables(original, quantized, other, {
      ...tuning,
      signal: controller.signal,
      onProgress: (p) => {
        if (p.stage === 'tune tables') steps.push(p.done)
        if (p.stage === stage && p.done === done) controller.abort(new Error('enough'))
      },
    })
    await expect(run).rejects.toThrow('enough')
    // What was done by the abort before is not done again.
    if (stage === 'write tables') expect(steps[0]).toBe(9)
    if (stage !== 'measure tables') expect(await readdir(directory)).toContain('other.partial')
  }
  await tuneTables(original, quantized, other, { ...tuning, onProgress: ({ stage }) => expect(stage).not.toBe('tune tables') })
  expect(await readFolder(other)).toEqual(wanted)
  expect((await readdir(directory)).sort()).toEqual(['other', 'tuned'])
})

test('work of other settings is not mixed in', async () => {
  const controller = new AbortController()
  const onProgress = ({ stage, done }: { stage: string; done: number }) => {
    if (stage === 'tune tables' && done === 5) controller.abort()
  }
  await expect(tuneTables(original, quantized, out, { ...tuning, signal: controller.signal, onProgress })).rejects.toThrow()
  await expect(tuneTables(original, quantized, out, { ...tuning, seed: 3 })).rejects.toThrow(/unfinished work.*overwrite/)
  await tuneTables(original, quantized, out, { ...tuning, seed: 3, overwrite: true })
})

test('what cannot be tuned is refused, and nothing stays', async () => {
  const make = async (name: string, options: Parameters<typeof writeTinyModel>[1]) => {
    await writeTinyModel(join(models, name), options)
    return join(models, name)
  }
  const larger = await make('larger', { config: { intermediate_size: 48 } })
  const words = await make('words', { config: { vocab_size: 60 } })
  const stranger = await make('stranger', { seed: 2 })
  const fine = join(models, 'fine')
  await quantize(original, fine, { seedBits: 6 })
  const cases: [() => Promise<unknown>, abstract new (...args: never[]) => Error, RegExp][] = [
    [
      () => tuneTables(larger, quantized, join(directory, 'a'), tuning),
      InvalidArgumentError,
      /gate_proj\.weight of shape \[40, 24\]/,
    ],
    [() => tuneTables(words, quantized, join(directory, 'b'), tuning), InvalidArgumentError, /vocabulary of 60 tokens/],
    [
      () => tuneTables(stranger, quantized, join(directory, 'c'), tuning),
      InvalidArgumentError,
      /the model that was quantized.*differs/,
    ],
    [() => tuneTables(quantized, quantized, join(directory, 'd'), tuning), InvalidArgumentError, /unquantized/],
    [() => tuneTables(original, original, join(directory, 'e'), tuning), InvalidArgumentError, /a quantized model/],
    [() => tuneTables(original, fine, join(directory, 'f'), tuning), UnsupportedError, /6 to 8 bits; tables of 3, 4 bits/],
    [
      () => tuneTables(original, quantized, join(directory, 'g'), { ...tuning, sequenceLength: 64 }),
      InvalidArgumentError,
      /at least 64 windows of 64 tokens/,
    ],
    [() => tuneTables(original, quantized, quantized, tuning), InvalidArgumentError, /does not exist yet/],
    [() => tuneTables(original, quantized, out, { ...tuning, bits: [3, 6] }), InvalidArgumentError, /some of 3, 4, 5/],
    [() => tuneTables(original, quantized, out, { ...tuning, steps: -1 }), InvalidArgumentError, /steps/],
  ]
  for (const [run, kind, message] of cases) {
    const error = await run().then(
      () => undefined,
      (reason: Error) => reason,
    )
    expect(error).toBeInstanceOf(kind)
    expect(error?.message).toMatch(message)
  }
  expect(await readdir(directory)).toEqual([])
})
