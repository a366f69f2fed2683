import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Estimator, InvalidArgumentError } from '@dpllm/core'
import { sketchQuantiles } from '@dpllm/estimators'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { writeQuantizedFolder } from '../../test/quantized-folder.js'
import { collect, type Generated } from '../generate/collect.js'
import type { GenerateOptions } from '../generate/options.js'
import { budgetProfile, staticProfile, thresholdProfile } from '../precision/testing/example-profiles.js'
import type { Profile } from '../profile/profile.js'
import { writeProfile } from '../profile/write-profile.js'
import type { LinearInfo } from './linears.js'
import { type LoadOptions, loadModel } from './load-model.js'
import type { Model } from './model.js'

const RESIDUAL = 64

let root: string
let folder: string
let linears: LinearInfo[]
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'dpllm-profiled-'))
  folder = path.join(root, 'model')
  await writeQuantizedFolder(folder)
  await using model = await loadModel(folder, { backend: 'reference' })
  // Budgets of 5 bits; one linear may only have 4, and one has nothing to choose from.
  linears = model.linears.map((linear, i) => ({ ...linear, maxBits: [4, 3][i] ?? 5 }))
})
afterEach(() => rm(path.join(folder, 'profiles'), { recursive: true, force: true }))
afterAll(() => rm(root, { recursive: true }))

const load = (options: LoadOptions = {}) => loadModel(folder, { backend: 'reference', ...options })
const write = (profile: Profile, name = profile.name) => writeProfile(folder, { ...profile, name })

/** A profile whose thresholds are the estimates' own quantiles, times a factor: with 1 it is calibrated well, else biased. */
async function calibrated(factor: number): Promise<Profile> {
  await using model = await load({ profile: false })
  const slope: Estimator = { kind: 'linear', slope: 1, intercept: 0 }
  const policy = { estimators: linears.map(() => slope), thresholds: model.precision({ precision: 4 }).policy!.thresholds }
  const tokens = Uint32Array.from({ length: 200 }, (_, i) => 3 + ((i * 37) % 290))
  using cache = model.createCache(200)
  const { estimates } = await model.run({ tokens, position: 0, cache, policy })
  const sketch = sketchQuantiles(estimates.subarray(2 * 200, 3 * 200))
  return thresholdProfile(linears, { estimatorOf: () => slope, quantiles: (i) => factor * sketch[i] })
}

const request: GenerateOptions = { maxTokens: 60, ignoreEos: true, temperature: 1, seed: 3 }
const generated = (model: Model, options: GenerateOptions) => collect(model.generate('see', { ...request, ...options }))

test('a model is loaded for what its profile estimates from, unless another is asked for', async () => {
  await using plain = await load()
  expect(plain.selectInputs).toBe('own')
  await write(budgetProfile(linears, RESIDUAL))
  await using model = await load()
  expect([model.profile?.name, model.selectInputs]).toEqual(['budget', 'residual'])
  expect(model.linears.map((linear) => linear.maxBits)).toEqual(linears.map((linear) => linear.maxBits))
  await using other = await load({ selectInputs: 'asynchronous' })
  expect(other.selectInputs).toBe('asynchronous')
  expect(() => other.precision({ targetBits: 3.5 })).toThrow(/selectInputs: expected residual/)
})

test('of several profiles the one of the method, or with the target, is loaded; budget before others', async () => {
  await write(staticProfile(linears, 'hawq-v2'), 'a')
  await write(thresholdProfile(linears), 'b')
  await write(budgetProfile(linears, RESIDUAL), 'c')
  await write(thresholdProfile(linears), 'd')
  const chosen = async (options: LoadOptions) => {
    await using model = await load(options)
    return model.profile?.name
  }
  expect(await chosen({})).toBeUndefined()
  expect(await chosen({ targetBits: 3.5 })).toBe('c')
  // Beyond the prices and allocations, within the thresholds' range.
  expect(await chosen({ targetBits: 3.1 })).toBe('b')
  expect(await chosen({ targetBits: 7.5 })).toBeUndefined()
  expect(await chosen({ method: 'hawq-v2' })).toBe('a')
  expect(await chosen({ method: 'dp-llm', targetBits: 3.5 })).toBe('b')
  expect(await chosen({ method: 'dp-llm', profile: 'd' })).toBe('d')
  expect(await chosen({ method: 'uniform', targetBits: 4 })).toBeUndefined()
  expect(await chosen({ method: 'uniform', profile: 'd' })).toBe('d')
  await expect(chosen({ method: 'lsaq' })).rejects.toThrow(/method: expected uniform.*it has hawq-v2 \(a\), dp-llm \(b\)/)
  await expect(chosen({ method: 'budget', targetBits: 3.1 })).rejects.toThrow(InvalidArgumentError)
  await expect(chosen({ method: 'budget', profile: 'd' })).rejects.toThrow(/method: expected dp-llm/)
})

test('every kind of policy reads within its limits; static ones the same for every token', async () => {
  for (const profile of [staticProfile(linears), thresholdProfile(linears), budgetProfile(linears, RESIDUAL)]) {
    await rm(path.join(folder, 'profiles'), { recursive: true, force: true })
    await write(profile)
    await using model = await load()
    const { tokens, effectiveBits } = await generated(model, { targetBits: 4.5, feedback: false })
    expect(effectiveBits).toBeGreaterThanOrEqual(3)
    expect(effectiveBits).toBeLessThanOrEqual(5)
    const bits = new Set(tokens.map((token) => token.bits))
    // Prompts, and so the first token, are read at all that is loaded, where bits are decided per token.
    if (profile.name === 'static') expect(bits.size).toBe(1)
    else expect(tokens[0].bits).toBe(Math.max(...bits))
  }
})

test('feedback holds a request at its target where the calibration misses it', async () => {
  await write(await calibrated(1.5))
  await using model = await load()
  const misses: Record<string, number> = {}
  for (const feedback of [true, false]) {
    misses[String(feedback)] = Math.abs((await generated(model, { targetBits: 3.5, feedback })).effectiveBits - 3.5)
  }
  expect(misses['false']).toBeGreaterThan(0.15)
  expect(misses['true']).toBeLessThan(0.3 * misses['false'])
  // It is the default, and what is shared between requests stays as it was.
  const { thresholds } = model.precision({ targetBits: 3.5 }).policy!
  const before = thresholds.slice()
  expect(Math.abs((await generated(model, { targetBits: 3.5 })).effectiveBits - 3.5)).toBe(misses['true'])
  expect(thresholds).toEqual(before)
})

test('requests at the same time decide as if each were alone', async () => {
  await write(await calibrated(0.8))
  await using model = await load()
  const options: GenerateOptions[] = [{ targetBits: 3.5 }, { targetBits: 3.5, seed: 4 }, { targetBits: 4.25 }]
  const alone: Generated[] = []
  for (const one of options) alone.push(await generated(model, one))
  const together = await Promise.all(options.map((one) => generated(model, one)))
  const bits = (all: Generated[]) => all.map(({ tokens }) => tokens.map((token) => [token.id, token.bits]))
  expect(bits(together)).toEqual(bits(alone))
  expect(bits(alone)[0]).not.toEqual(bits(alone)[2])
})

test('precisions of equal requests are one object', async () => {
  await write(thresholdProfile(linears))
  await using model = await load()
  const one = model.precision({ targetBits: 3.5 })
  expect(model.precision({ targetBits: 3.5 })).toBe(one)
  expect(model.precision({ targetBits: 3.5, method: 'dp-llm' }).policy!.estimators).toBe(one.policy!.estimators)
  expect(model.precision({ targetBits: 3, method: 'uniform' }).adapt).toBeUndefined()
})

test('every token that was decoded says what each linear read for it', async () => {
  await write(budgetProfile(linears, RESIDUAL))
  await using model = await load()
  let decoded = 0
  for await (const { bits, linearBits } of model.generate('see', { ...request, maxTokens: 5, targetBits: 4 })) {
    if (decoded++ === 0) expect(linearBits).toBeUndefined()
    else expect(model.effectiveBits(linearBits!, 1)).toBe(bits)
  }
  expect(decoded).toBe(5)
})
