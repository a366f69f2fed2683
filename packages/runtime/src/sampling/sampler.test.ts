import { createRandom, InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { createSampler, type SamplingOptions } from './sampler.js'

const logitsOf = (probabilities: number[]) => Float32Array.from(probabilities, Math.log)

/** The tokens that come up in many draws. */
function seen(logits: Float32Array, options: SamplingOptions): number[] {
  const sampler = createSampler({ temperature: 1, seed: 3, ...options })
  const tokens = new Set<number>()
  for (let i = 0; i < 3000; i++) tokens.add(sampler.sample(logits).token)
  return [...tokens].sort((a, b) => a - b)
}

const five = logitsOf([0.1, 0.4, 0.25, 0.2, 0.05])

test('is greedy by default', () => {
  expect(createSampler().sample(five).token).toBe(1)
  expect(createSampler({ temperature: 0, topK: 1, seed: 9 }).sample(Float32Array.of(2, 2)).token).toBe(0)
})

test('the log probability is that of the model, whatever filters and temperature are', () => {
  const { token, logprob } = createSampler({ temperature: 5, topK: 1 }).sample(five)
  expect(token).toBe(1)
  expect(logprob).toBeCloseTo(Math.log(0.4), 6)
})

test('each filter alone', () => {
  expect(seen(five, {})).toEqual([0, 1, 2, 3, 4])
  expect(seen(five, { topK: 2 })).toEqual([1, 2])
  expect(seen(five, { topK: 100 })).toEqual([0, 1, 2, 3, 4])
  expect(seen(five, { topP: 0.6 })).toEqual([1, 2])
  expect(seen(five, { topP: 1e-9 })).toEqual([1])
  expect(seen(five, { minP: 0.45 })).toEqual([1, 2, 3])
})

test('top-p looks at the probabilities among the k', () => {
  // Two tokens have 0.65 of all, which does not reach 0.7, and 0.65 / 0.85 of the first three, which does.
  expect(seen(five, { topP: 0.7 })).toEqual([1, 2, 3])
  expect(seen(five, { topK: 3, topP: 0.7 })).toEqual([1, 2])
})

test('filters come before the temperature', () => {
  expect(seen(five, { topP: 0.6, temperature: 100 })).toEqual([1, 2])
  expect(seen(five, { minP: 0.45, temperature: 100 })).toEqual([1, 2, 3])
})

test('top-p of a flat distribution over many tokens', () => {
  const logits = new Float32Array(5000)
  const sampler = createSampler({ temperature: 1, topP: 0.9, seed: 1 })
  for (let i = 0; i < 300; i++) expect(sampler.sample(logits).token).toBeLessThan(4501)
})

test('the same seed gives the same tokens', () => {
  const random = createRandom(5)
  const logits = Float32Array.from({ length: 1000 }, () => random.normal())
  const tokens = (seed: number) => {
    const sampler = createSampler({ temperature: 1, topK: 40, topP: 0.95, minP: 0.05, seed })
    return Array.from({ length: 20 }, () => sampler.sample(logits).token)
  }
  expect(tokens(11)).toEqual(tokens(11))
  expect(tokens(11)).not.toEqual(tokens(12))
})

test('leaves the logits as they are, and sees broken ones also when it is greedy', () => {
  const logits = Float32Array.of(1, 2, 3)
  createSampler({ temperature: 0.5, topK: 2, topP: 0.9 }).sample(logits)
  expect(logits).toEqual(Float32Array.of(1, 2, 3))
  expect(() => createSampler().sample(Float32Array.of(1, Number.NaN))).toThrow('logit 1 is NaN')
})

test.each<SamplingOptions>([
  { temperature: -1 },
  { temperature: Number.NaN },
  { temperature: Number.POSITIVE_INFINITY },
  { topK: -1 },
  { topK: 1.5 },
  { topP: 0 },
  { topP: 1.1 },
  { minP: -0.1 },
  { minP: 2 },
  { seed: 0.5 },
  { seed: 2 ** 32 },
])('refuses %o', (options) => {
  expect(() => createSampler(options)).toThrow(InvalidArgumentError)
})
