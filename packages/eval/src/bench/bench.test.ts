import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createReferenceBackend, emptyProfile, type Step } from '@dpllm/core'
import type { ModelConfig } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import { type BenchModel, bench } from './bench.js'
import { openEnergyMeter } from './energy.js'
import { randomModel } from './random-model.js'

function fakeModel() {
  const steps: Step[] = []
  const model: BenchModel = {
    config: { contextLength: 32, vocabularySize: 10 } as ModelConfig,
    precision: () => ({ policy: { estimators: [], thresholds: new Float32Array(0) }, prefillPolicy: undefined }),
    effectiveBits: (bits) => bits[0],
    createCache: (capacity) => ({ capacity, [Symbol.dispose]: () => {} }),
    run: async (step) => {
      steps.push(step)
      return { outputs: {}, bits: Uint8Array.of(step.policy ? 4 : 8), estimates: new Float32Array(1) }
    },
  }
  return { model, steps }
}

test('prompts run in batches at the prefill precision, generation token by token', async () => {
  const { model, steps } = fakeModel()
  const rows = await bench(model, { promptTokens: [5], generatedTokens: [3], repetitions: 2, warmup: 1, batchSize: 4 })
  expect(rows.map(({ test, effectiveBits, samples }) => ({ test, effectiveBits, runs: samples.length }))).toEqual([
    { test: 'pp5', effectiveBits: 8, runs: 2 },
    { test: 'tg3', effectiveBits: 4, runs: 2 },
  ])
  const shape = steps.map((step) => [step.position, step.tokens.length])
  expect(shape).toEqual([
    ...Array(3)
      .fill([
        [0, 4],
        [4, 1],
      ])
      .flat(),
    ...Array(3)
      .fill([
        [0, 1],
        [1, 1],
        [2, 1],
      ])
      .flat(),
  ])
  for (const { samples, tokensPerSecond, standardDeviation } of rows) {
    const [a, b] = samples
    expect(tokensPerSecond).toBeCloseTo((a + b) / 2)
    expect(standardDeviation).toBeCloseTo(Math.abs(a - b) / Math.SQRT2)
  }
})

test('each run that generates is a request of its own, held at its target', async () => {
  const { model, steps } = fakeModel()
  const moves: number[] = []
  const adapt = () => {
    const policy = { estimators: [], thresholds: new Float32Array(1) }
    return { policy, range: [3, 5] as const, retarget: (bits: number) => void moves.push(bits) }
  }
  const adaptive = { ...model, precision: () => ({ policy: undefined, prefillPolicy: undefined, adapt }) }
  const options = { promptTokens: [2], generatedTokens: [2], repetitions: 2, warmup: 0, targetBits: 3.5 }
  await bench(adaptive, options)
  // Prompts read what is loaded. Every token reads half a bit too much, and a new run owes nothing.
  expect(steps.map(({ policy }) => policy === undefined)).toEqual([true, true, false, false, false, false])
  expect(new Set(steps.slice(2).map(({ policy }) => policy)).size).toBe(2)
  expect(moves[0]).toBeLessThan(3.5)
  expect(moves[1]).toBeLessThan(moves[0])
  expect(moves.slice(2)).toEqual(moves.slice(0, 2))
  await bench(adaptive, { ...options, feedback: false })
  expect(moves).toHaveLength(4)
})

test('a row says what its own repetitions added to the profile', async () => {
  const { model } = fakeModel()
  const stepProfile = emptyProfile()
  const run = (step: Step) => {
    stepProfile.steps++
    stepProfile.total += 2
    stepProfile.operators['linear'] = (stepProfile.operators['linear'] ?? 0) + 1
    return model.run(step)
  }
  const options = { promptTokens: [5], generatedTokens: [3], repetitions: 2, warmup: 1, batchSize: 4, stepProfile }
  const rows = await bench({ ...model, run }, options)
  expect(rows.map((row) => row.stepProfile)).toEqual([
    { steps: 4, total: 8, operators: { linear: 4 } },
    { steps: 6, total: 12, operators: { linear: 6 } },
  ])
})

test('a row says the energy of its own repetitions', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dpllm-bench-energy-'))
  const zone = path.join(folder, 'intel-rapl:0')
  mkdirSync(zone)
  let microjoules = 7_000_000
  const count = (more: number) => {
    microjoules = (microjoules + more) % 10_000_000
    writeFileSync(path.join(zone, 'energy_uj'), `${microjoules}\n`)
  }
  writeFileSync(path.join(zone, 'max_energy_range_uj'), '10000000\n')
  count(0)
  try {
    const { model } = fakeModel()
    const run = (step: Step) => {
      count(step.tokens.length * 500_000)
      return model.run(step)
    }
    const energyMeter = await openEnergyMeter(folder)
    const options = { promptTokens: [2], generatedTokens: [3], repetitions: 2, warmup: 1, energyMeter }
    const rows = await bench({ ...model, run }, options)
    for (const { joulesPerToken } of rows) expect(joulesPerToken).toBeCloseTo(0.5, 9)
    const [row] = await bench(model, { promptTokens: [2], generatedTokens: [], repetitions: 1 })
    expect(row.joulesPerToken).toBeNull()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('lengths beyond the context are refused before anything runs', async () => {
  const { model, steps } = fakeModel()
  await expect(bench(model, { promptTokens: [32], generatedTokens: [33] })).rejects.toThrow(
    /tg33: expected a whole number from 1 to 32/,
  )
  await expect(bench(model, { repetitions: 0 })).rejects.toThrow(/repetitions/)
  expect(steps).toEqual([])
})

test('a random model has the shapes of its namesake and runs at every precision', async () => {
  await using model = await randomModel('tinyllama-1.1b', createReferenceBackend(), { layers: 1, vocabularySize: 50, maxBits: 3 })
  const layer = 2 * 2048 * 2048 + 2 * 256 * 2048 + 3 * 5632 * 2048
  expect(model.parameters).toBe(layer + 2 * 50 * 2048 + 3 * 2048)
  expect(model.config).toMatchObject({ layers: 1, heads: 32, kvHeads: 4, quantization: { seedBits: 3, maxBits: 3 } })
  const [row] = await bench(model, {
    promptTokens: [],
    generatedTokens: [1],
    repetitions: 1,
    warmup: 0,
    precision: 3,
  })
  expect(row.effectiveBits).toBe(3)
  using cache = model.createCache(1)
  const { outputs } = await model.run({ tokens: Uint32Array.of(7), position: 0, cache })
  expect(outputs.logits.every(Number.isFinite)).toBe(true)
  expect(new Set(outputs.logits).size).toBeGreaterThan(40)
})

test('a head shared with the embedding counts once', async () => {
  const options = { layers: 1, vocabularySize: 3, maxBits: 3 }
  await using model = await randomModel('llama-3.2-1b', createReferenceBackend(), options)
  expect(model.parameters).toBe(2 * 2048 * 2048 + 2 * 512 * 2048 + 3 * 8192 * 2048 + 3 * 2048 + 3 * 2048)
})

test('unknown shapes are refused by name', async () => {
  let disposed = 0
  const backend = { ...createReferenceBackend(), [Symbol.asyncDispose]: async () => void disposed++ }
  await expect(randomModel('gpt-5', backend)).rejects.toThrow(/one of llama-3-8b, .*found "gpt-5"/)
  expect(disposed).toBe(1)
  await expect(randomModel('llama-3-8b', createReferenceBackend(), { layers: 33 })).rejects.toThrow(/layers: .* 32/)
})
