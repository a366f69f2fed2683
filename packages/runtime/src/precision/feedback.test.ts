import { createRandom, InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { createFeedback } from './feedback.js'
import { clamp } from './target-curve.js'

/** Something that reads what it is asked for, with a bias and noise; it records what it is asked for. */
function toyProcess(bias: number, noise: number, seed = 1) {
  const random = createRandom(seed)
  const range = [3, 5] as const
  let asked = 3.5
  return {
    range,
    asked: () => asked,
    retarget: (targetBits: number) => {
      asked = targetBits
    },
    read: () => clamp(asked + bias + noise * random.normal(), ...range),
  }
}

/** Mean bits of a request of some tokens. */
function meanBits(bias: number, noise: number, tokens: number, options: { seed?: number; feedback?: boolean } = {}): number {
  const process = toyProcess(bias, noise, options.seed)
  const feedback = createFeedback(process, 3.5)
  let sum = 0
  for (let t = 0; t < tokens; t++) {
    const bits = process.read()
    sum += bits
    if (options.feedback !== false) feedback.record(bits, 1)
  }
  return sum / tokens
}

test('a biased process is held at its target', () => {
  for (const bias of [-0.2, -0.05, 0.1, 0.3]) {
    expect(Math.abs(meanBits(bias, 0, 200, { feedback: false }) - 3.5)).toBeCloseTo(Math.abs(bias), 9)
    // What is left is of the first tokens, before the bias is believed.
    expect(Math.abs(meanBits(bias, 0, 100) - 3.5)).toBeLessThan(0.03 * Math.abs(bias))
    expect(Math.abs(meanBits(bias, 0, 2000) - 3.5)).toBeLessThan(0.001)
  }
})

test('with noise, requests come nearer to their target than without feedback', () => {
  const spread = (feedback: boolean) => {
    const misses = Array.from({ length: 100 }, (_, seed) => Math.abs(meanBits(0.05, 0.3, 100, { seed, feedback }) - 3.5))
    return misses.sort((a, b) => a - b)[98]
  }
  expect(spread(true)).toBeLessThan(0.5 * spread(false))
  expect(spread(true)).toBeLessThan(0.035)
})

test('the target never leaves the range, and comes back', () => {
  const process = toyProcess(0, 0)
  const feedback = createFeedback(process, 3.5)
  feedback.record(8, 10)
  expect(process.asked()).toBe(3)
  feedback.record(3, 200)
  feedback.record(3, 200)
  expect(process.asked()).toBeGreaterThan(3.5)
  expect(process.asked()).toBeLessThanOrEqual(5)
})

test('debts are paid back over the horizon, those of long steps over twice their tokens, and the bias at once', () => {
  const process = toyProcess(0, 0)
  createFeedback(process, 3.5, { horizon: 8 }).record(4.5, 1)
  expect(process.asked()).toBeCloseTo(3.5 - 1 / 8 - 1 / 17, 12)
  createFeedback(process, 3.5).record(3.75, 100)
  expect(process.asked()).toBeCloseTo(3.5 - 25 / 200 - 25 / 116, 12)
  expect(() => createFeedback(process, 3.5, { horizon: 0 })).toThrow(InvalidArgumentError)
})
