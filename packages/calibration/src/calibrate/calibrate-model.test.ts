import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from '@dpllm/core'
import { collect, loadModel } from '@dpllm/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { writeQuantizedTinyModel } from '../testing/quantized-tiny-model.js'
import { readFolder } from '../testing/read-folder.js'
import { calibrateModel } from './calibrate-model.js'
import { type CalibrateOptions, calibrationMethods } from './calibrate-options.js'

let models: string
let quantized: string
let model: string

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'dpllm-calibrate-'))
  quantized = join(models, 'quantized')
  await writeQuantizedTinyModel(models)
})
afterAll(() => rm(models, { recursive: true }))
beforeEach(async () => {
  model = await mkdtemp(join(tmpdir(), 'dpllm-calibrated-'))
  await cp(quantized, model, { recursive: true })
})
afterEach(() => rm(model, { recursive: true }))

const text = 'the cat sat on the mat and saw a dog. '.repeat(60)
const optionsOf = (options: Partial<CalibrateOptions> = {}): CalibrateOptions => ({
  model,
  calibrationText: text,
  memoryBudget: 5,
  targets: [3.5, 4.25],
  samples: 32,
  sequenceLength: 24,
  steps: 8,
  backend: 'reference',
  ...options,
})

test.each(calibrationMethods)(
  '%s makes a profile whose targets the model reads, and others between them',
  async (method) => {
    const { profile, path } = await calibrateModel(optionsOf({ method }))
    expect(path).toBe(join(model, 'profiles', `${method}-5.json`))
    expect(profile.data).toMatchObject({
      method,
      memoryBudget: 5,
      provenance: { windows: 24, landingWindows: 8, windowTokens: 24 },
    })
    expect((await readdir(join(model, 'profiles'))).some((name) => name.endsWith('.partial'))).toBe(false)

    await using loaded = await loadModel(model, { backend: 'reference', method })
    const loadedBits = loaded.linears.reduce((sum, { rows, cols, maxBits }) => sum + rows * cols * maxBits, 0)
    const weights = loaded.linears.reduce((sum, { rows, cols }) => sum + rows * cols, 0)
    expect(loadedBits / weights).toBeLessThanOrEqual(5)
    expect(loadedBits / weights).toBeGreaterThan(4.8)
    for (const targetBits of [3.25, 3.5, 4, 4.25]) {
      const { effectiveBits } = await collect(loaded.generate('the cat', { targetBits, method, maxTokens: 40, ignoreEos: true }))
      // The linears of this model are large parts of it: what is static cannot come nearer.
      expect(Math.abs(effectiveBits - targetBits)).toBeLessThan(0.2)
    }
  },
  60_000,
)

test.each(['sketch', 'exact', 'probe'] as const)(
  'dp-llm with the estimator %s',
  async (estimator) => {
    const { profile } = await calibrateModel(optionsOf({ method: 'dp-llm', estimator, name: estimator }))
    const { policy } = profile.data
    if (policy.kind !== 'threshold') throw new Error('expected thresholds')
    expect(policy.selectInputs).toBe({ sketch: 'asynchronous', exact: 'own', probe: 'residual' }[estimator])
    for (const { targetBits, measuredBits } of policy.targets) expect(Math.abs(measuredBits - targetBits)).toBeLessThan(0.05)
    await using loaded = await loadModel(model, { backend: 'reference', profile: estimator })
    const { effectiveBits } = await collect(loaded.generate('the cat', { targetBits: 3.5, maxTokens: 40, ignoreEos: true }))
    expect(Math.abs(effectiveBits - 3.5)).toBeLessThan(0.2)
  },
  60_000,
)

test('the same options give the same bytes, interrupted or not, with a work folder of its own or a shared one', async () => {
  const profiles = join(model, 'profiles')
  await calibrateModel(optionsOf())
  const wanted = await readFolder(profiles)
  await rm(profiles, { recursive: true })

  const controller = new AbortController()
  let steps = 0
  const onProgress = () => {
    if (++steps === 20) controller.abort(new Error('enough'))
  }
  await expect(calibrateModel(optionsOf({ signal: controller.signal, onProgress }))).rejects.toThrow('enough')
  expect((await readdir(profiles).catch(() => [])).filter((name) => name.endsWith('.json'))).toEqual([])
  await calibrateModel(optionsOf())
  expect(await readFolder(profiles)).toEqual(wanted)

  const workFolder = join(model, 'shared-work')
  const stages = async (options: Partial<CalibrateOptions>) => {
    const seen = new Set<string>()
    await calibrateModel(optionsOf({ workFolder, onProgress: ({ stage }) => seen.add(stage), ...options }))
    return seen
  }
  expect((await stages({ method: 'hawq-v2' })).has('measure gradients')).toBe(true)
  expect((await stages({ method: 'dp-llm' })).has('measure gradients')).toBe(false)
}, 60_000)

test('what cannot be asked for is said before anything is measured', async () => {
  const cases: [Partial<CalibrateOptions>, RegExp][] = [
    [{ method: 'uniform' as never }, /method: expected one of budget/],
    [{ estimator: 'guess' as never }, /estimator/],
    [{ memoryBudget: 9 }, /memoryBudget/],
    [{ targets: [] }, /targets/],
    [{ targets: [5.5] }, /targets: expected numbers of bits from 3 to the budget's 5/],
    [{ samples: 1 }, /samples/],
    [{ epochs: 0 }, /epochs/],
    [{ name: '../other' }, /name/],
    [{ calibrationText: 'short' }, /calibrationText/],
  ]
  for (const [options, message] of cases) {
    const failure = calibrateModel(optionsOf(options))
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.toBeInstanceOf(InvalidArgumentError)
  }
  expect(await readdir(model)).not.toContain('profiles')
  await expect(calibrateModel(optionsOf({ model: join(models, 'original') }))).rejects.toThrow(/quantized model/)
})
