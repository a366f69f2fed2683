import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom, FileFormatError, type Progress } from '@dpllm/core'
import { loadModel, type Model } from '@dpllm/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { writeQuantizedTinyModel } from '../testing/quantized-tiny-model.js'
import { readFolder } from '../testing/read-folder.js'
import { type CalibrateProbesOptions, calibrateProbes } from './calibrate-probes.js'
import { fitProbe } from './fit-probe.js'
import { measureOutputErrors } from './measure-output-errors.js'

const random = createRandom(1)
const windows = Array.from({ length: 6 }, () => Uint32Array.from({ length: 20 }, () => 2 + (random.uint32() % 40)))

let directory: string
let folder: string
let model: Model
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-probes-'))
  await writeQuantizedTinyModel(directory)
  model = await loadModel(join(directory, 'quantized'), { backend: 'reference', profile: false })
})
afterAll(async () => {
  await model[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})
beforeEach(async () => {
  folder = await mkdtemp(join(directory, 'work-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const calibrate = (options: Partial<CalibrateProbesOptions> = {}) =>
  calibrateProbes(model, windows, { folder, fingerprint: 'these windows', maxBits: model.linears.map(() => 5), ...options })

test('every linear has its mean errors and the probe that is fitted to its own errors', async () => {
  const found = await calibrate()
  expect(found.map(({ name }) => name)).toEqual(model.linears.map(({ module }) => module))
  const measured = await measureOutputErrors(model, windows, {
    folder,
    fingerprint: 'these windows',
    maxBits: model.linears.map(() => 5),
  })
  for (const [i, { name, weights, minBits, errors, probe, heldOutShare }] of found.entries()) {
    const { module, feature, ...linear } = measured.linears[i]
    expect({ module: name, weights, minBits, errors }).toEqual({ module, ...linear })
    expect(errors).toHaveLength(3)
    const fit = await fitProbe(await measured.readFeatures(feature), await measured.readTargets(module))
    expect({ probe, heldOutShare }).toEqual(fit)
    expect(probe.weights.shape).toEqual([model.config.hiddenSize])
  }
})

test('interrupted at any moment and started again, it gives the same bytes', async () => {
  const steps: Progress[] = []
  const whole = await calibrate({ onProgress: (p) => steps.push(p) })
  const files = await readFolder(folder)
  expect(steps.map(({ stage }) => stage)).toEqual([...Array(6).fill('measure output errors'), ...Array(14).fill('fit probes')])
  expect(steps.at(-1)).toEqual({ stage: 'fit probes', done: 14, total: 14, unit: 'linears' })
  for (const stopAt of [0, 3, 5, 6, 12, 19]) {
    const again = join(folder, `stop-${stopAt}`)
    const stop = new AbortController()
    let step = 0
    const onProgress = () => {
      if (step++ === stopAt) stop.abort(new Error('enough'))
    }
    const first = calibrate({ folder: again, signal: stop.signal, onProgress })
    if (stopAt < 19) await expect(first).rejects.toThrow('enough')
    else await first
    // Two blocks of each window, then a probe of each linear.
    expect(await readdir(again)).toHaveLength(stopAt < 6 ? 2 * (stopAt + 1) : 12 + stopAt - 5)
    expect(await calibrate({ folder: again })).toEqual(whole)
    expect(await readFolder(again)).toEqual(files)
    await rm(again, { recursive: true })
  }
})

test('with labels of the text another seed fits anew and measures nothing; other windows are refused', async () => {
  const first = await calibrate({ labels: 'text' })
  const before = await readFolder(folder)
  const stages = new Set<string>()
  const other = await calibrate({ labels: 'text', seed: 1, onProgress: ({ stage }) => stages.add(stage) })
  expect(stages).toEqual(new Set(['fit probes']))
  expect(other.map(({ name }) => name)).toEqual(first.map(({ name }) => name))
  const changed = [...(await readFolder(folder))].flatMap(([file, bytes]) => (before.get(file)?.equals(bytes) ? [] : [file]))
  expect(changed).toEqual(model.linears.map(({ module }) => `probe-${module}.safetensors`).sort())
  expect(await calibrate({ labels: 'text' })).toEqual(first)
  await expect(calibrate({ labels: 'text', fingerprint: 'other windows' })).rejects.toThrow(FileFormatError)
  await expect(calibrate()).rejects.toThrow(/another model, text or settings/)
})

test('a damaged probe is named', async () => {
  await calibrate()
  const file = `probe-${model.linears[3].module}.safetensors`
  await writeFile(join(folder, file), 'damaged')
  const error = await calibrate().catch((e) => e)
  expect(error).toBeInstanceOf(FileFormatError)
  expect(error.message).toContain(file)
})
