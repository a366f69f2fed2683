import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accumulatorName, createReferenceBackend, gradientProgram } from '@dpllm/core'
import { writeSafetensors } from '@dpllm/core/node'
import { relativeError, runInF64 } from '@dpllm/core/testing'
import { probeCpu } from '@dpllm/cpu-kernels'
import { decoderProgram, loadModel, type Model } from '@dpllm/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readFolder } from '../testing/read-folder.js'
import { writeTinyModel } from '../testing/tiny-model.js'
import { type GradientMode, openGradientFile } from './gradient-files.js'
import { type GradientSums, openGradientSums } from './gradient-sums.js'
import { linearsOf } from './linears.js'
import { type MeasureGradientsOptions, measureFisher, measureGradientSums } from './measure-gradients.js'

const windows = [
  Uint32Array.of(1, 5, 9, 7, 12),
  Uint32Array.of(1, 3, 8, 4, 20),
  Uint32Array.of(6, 6, 2),
  Uint32Array.of(9, 8, 7, 6, 5),
]
const fingerprint = 'these windows'

let directory: string
let folder: string
let model: Model
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-fisher-'))
  await writeTinyModel(join(directory, 'model'))
  model = await loadModel(join(directory, 'model'), { backend: createReferenceBackend() })
})
afterAll(async () => {
  await model[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})
beforeEach(async () => {
  folder = await mkdtemp(join(directory, 'sums-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const measure = async (options: Partial<MeasureGradientsOptions> = {}) => {
  await using sums = await measureFisher(model, windows, { folder, fingerprint, ...options })
  return await readAll(sums)
}

async function readAll(sums: GradientSums): Promise<Map<string, Float32Array>> {
  const all = new Map<string, Float32Array>()
  for (const [module, [rows]] of [...sums.shapes].sort()) all.set(module, await sums.readRows(module, 0, rows))
  return all
}

/** By the definition: each sample's gradient in f64, its loss divided by the tokens of the longest window. */
function bruteForce(mode: GradientMode): Map<string, Float64Array> {
  const { program } = decoderProgram(model.config)
  const linears = linearsOf(program)
  const weights = linears.map(({ weight }) => ({ weight, mode: 'sum' as const }))
  const reverse = gradientProgram(program, { loss: 'loss', weights })
  const sums = new Map(linears.map(({ module, rows, cols }) => [module, new Float64Array(rows * cols)]))
  for (const window of windows) {
    const tokens = window.slice(0, -1)
    const step = { tokens, position: 0, rows: tokens.map((_, row) => row), targets: window.slice(1), outputs: [] }
    const { accumulators } = runInF64(reverse, model.weights, step)
    for (const { module, weight } of linears) {
      const gradient = accumulators[accumulatorName({ weight, mode: 'sum' })].map((g) => g / 4)
      gradient.forEach((g, i) => {
        sums.get(module)![i] += mode === 'squares' ? g * g : g
      })
    }
  }
  return sums
}

test('the Fisher information is the sum of squared gradients of samples, by the definition', async () => {
  const wanted = bruteForce('squares')
  const found = await measure()
  expect(found.size).toBe(2 * 7 + 1)
  for (const [module, values] of wanted) expect(relativeError(found.get(module)!, values), module).toBeLessThan(1e-5)
})

test('sums of gradients, whose mean is that of LLM-MQ', async () => {
  await using sums = await measureGradientSums(model, windows, { folder, fingerprint })
  expect(sums.samples).toBe(4)
  const found = await readAll(sums)
  for (const [module, values] of bruteForce('sum')) expect(relativeError(found.get(module)!, values), module).toBeLessThan(1e-5)
})

test.skipIf(!probeCpu().ok)('the CPU backend finds the same, whatever the groups are', async () => {
  await using native = await loadModel(join(directory, 'model'), { backend: 'cpu', arithmetic: 'precise' })
  await using sums = await measureFisher(native, windows, { folder, fingerprint })
  const found = await readAll(sums)
  for (const [module, values] of bruteForce('squares'))
    expect(relativeError(found.get(module)!, values), module).toBeLessThan(1e-5)
  const grouped = await mkdtemp(join(directory, 'groups-'))
  await using parts = await measureFisher(native, windows, { folder: grouped, fingerprint, accumulatorBytes: 8000 })
  expect(await readAll(parts)).toEqual(found)
})

test('groups of any size give the same bytes, the last linears first', async () => {
  const whole = await measure()
  expect(await readdir(folder)).toEqual(['gradient-squares-lm_head.safetensors'])
  const stages: number[] = []
  const small = join(folder, 'small')
  await rm(small, { recursive: true, force: true })
  const grouped = await mkdtemp(join(directory, 'groups-'))
  const onProgress = ({ done, total }: { done: number; total: number }) => stages.push(done / total)
  expect(await measure({ folder: grouped, accumulatorBytes: 8000, onProgress })).toEqual(whole)
  expect((await readdir(grouped)).length).toBeGreaterThan(3)
  expect(stages.at(-1)).toBe(1)
  expect(stages.every((part, i) => i === 0 || part > stages[i - 1])).toBe(true)
  // Smaller than any: each linear is a group.
  const alone = await mkdtemp(join(directory, 'alone-'))
  expect(await measure({ folder: alone, accumulatorBytes: 1 })).toEqual(whole)
  expect(await readdir(alone)).toHaveLength(15)
})

describe('an interrupted run goes on where it was', () => {
  /** Aborts after so many steps of progress. */
  async function interrupt(steps: number, options: Partial<MeasureGradientsOptions>): Promise<void> {
    const stop = new AbortController()
    let left = steps
    const onProgress = () => {
      if (--left === 0) stop.abort(new Error('enough'))
    }
    await expect(measure({ ...options, signal: stop.signal, onProgress })).rejects.toThrow('enough')
  }

  test('with the next sample of a group, from its last checkpoint', async () => {
    const whole = await measure()
    const bytes = await readFolder(folder)
    await rm(join(folder, 'gradient-squares-lm_head.safetensors'))
    await interrupt(2, { checkpointSeconds: 0 })
    await using kept = await openGradientFile(join(folder, 'gradient-squares-lm_head.safetensors'), fingerprint)
    expect(kept).toMatchObject({ done: 1, total: 4 })
    await using unfinished = await openGradientSums(folder, 'squares', fingerprint)
    expect(unfinished.shapes.size).toBe(0)

    const seen: number[] = []
    expect(await measure({ onProgress: ({ done }) => seen.push(done) })).toEqual(whole)
    expect(seen).toEqual([8, 10, 14])
    expect(await readFolder(folder)).toEqual(bytes)
  })

  test('with the next group, also of another size', async () => {
    const whole = await measure({ folder: await mkdtemp(join(directory, 'whole-')) })
    await interrupt(6, { accumulatorBytes: 8000 })
    const [first] = await readdir(folder)
    const before = (await readFolder(folder)).get(first)
    expect(await measure({ accumulatorBytes: 5000 })).toEqual(whole)
    expect((await readFolder(folder)).get(first)).toEqual(before)
    // Nothing is left to do: no step is run.
    expect(await measure({ onProgress: () => expect.fail('measured again') })).toEqual(whole)
  })

  test('modules that are asked for later are measured later', async () => {
    const module = 'model.layers.1.mlp.down_proj'
    const first = await measure({ modules: [module] })
    expect([...first.keys()]).toEqual([module])
    const whole = await measure()
    expect(whole.size).toBe(15)
    expect(whole.get(module)).toEqual(first.get(module))
  })
})

describe('what cannot be is refused', () => {
  const file = () => join(folder, 'gradient-squares-lm_head.safetensors')
  const write = async (shape: number[], metadata: Record<string, string>, fill = 1) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b)).fill(fill)
    await writeSafetensors(file(), [{ name: 'lm_head', dtype: 'f32', shape, data }], { metadata })
  }
  const own = { 'dpllm.fingerprint': fingerprint, 'dpllm.samples': '4/4' }

  test('files of another run, of another model, or damaged ones', async () => {
    await write([50, 24], { ...own, 'dpllm.fingerprint': 'others' })
    await expect(measure()).rejects.toMatchObject({
      code: 'ERR_DPLLM_FILE',
      message: expect.stringMatching(/lm_head\.safe.*another model, text/),
    })
    await write([50, 23], own)
    await expect(measure()).rejects.toThrow(/lm_head.*no linear of this model.*50,23/)
    await write([1200], own)
    await expect(measure()).rejects.toThrow(/lm_head.*expected f32 \[rows, cols\]/)
    await write([50, 24], { ...own, 'dpllm.samples': 'many' })
    await expect(measure()).rejects.toThrow(/lacks dpllm\.samples/)
    await write([50, 24], { ...own, 'dpllm.samples': '3/3' })
    await expect(measure()).rejects.toThrow(/of 3 samples, not of 4/)
    await expect(openGradientSums(folder, 'squares', 'others')).rejects.toThrow(/another model, text/)
  })

  test('values that no sum of squares is', async () => {
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await write([50, 24], own, bad)
      await using sums = await openGradientSums(folder, 'squares', fingerprint)
      await expect(sums.readRows('lm_head', 3, 2)).rejects.toThrow(/lm_head.*expected sums of squares.*row 3, column 0/)
      await expect(sums.readRows('model.layers.0.mlp.up_proj', 0, 1)).rejects.toMatchObject({ argument: 'module' })
      await expect(sums.readRows('lm_head', 49, 2)).rejects.toThrow(/a range of its 1200 elements/)
    }
  })

  test('windows and modules', async () => {
    await expect(measureFisher(model, [], { folder, fingerprint })).rejects.toMatchObject({ argument: 'windows' })
    await expect(measureFisher(model, [Uint32Array.of(1)], { folder, fingerprint })).rejects.toThrow(/at least two tokens/)
    await expect(measure({ modules: ['lm_tail'] })).rejects.toMatchObject({ argument: 'modules' })
  })

  test('gradients that overflow', async () => {
    const huge = join(directory, 'huge')
    await writeTinyModel(huge, { edit: (t) => ({ ...t, data: t.data.map((x) => (t.name.includes('norm') ? 1e30 : x)) }) })
    await using broken = await loadModel(huge, { backend: createReferenceBackend() })
    await expect(measureFisher(broken, windows, { folder, fingerprint })).rejects.toMatchObject({ code: 'ERR_DPLLM_NOT_FINITE' })
    expect(await readdir(folder)).toEqual([])
  })
})
