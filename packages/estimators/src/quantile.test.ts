import { InvalidArgumentError } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNormals } from './normals.js'
import { quantile } from './quantile.js'
import { SKETCH_QUANTILES, sketchQuantiles, thresholdAt } from './quantile-sketch.js'
import { pairThreshold } from './threshold.js'

const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 })

test('quantile is linear between order statistics', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2)
  expect(quantile([10, 0], 0.25)).toBe(2.5)
  expect(quantile([7], 0.9)).toBe(7)
  expect(() => quantile([], 0.5)).toThrow(InvalidArgumentError)
  expect(() => quantile([1], 1.5)).toThrow(/0 to 1/)
})

test('the threshold gives the average bits on the tokens that it was measured on', () => {
  fc.assert(
    fc.property(seed, fc.double({ min: 3.02, max: 3.98, noNaN: true }), (seed, average) => {
      const normal = createNormals(seed)
      const estimates = Array.from({ length: 1000 }, () => Math.abs(normal()))
      const threshold = pairThreshold(estimates, 3, 4, average)
      const mean = estimates.reduce((sum, e) => sum + (e > threshold ? 4 : 3), 0) / estimates.length
      expect(Math.abs(mean - average)).toBeLessThanOrEqual(1.5 / 1000)
    }),
  )
  expect(pairThreshold([1, 2], 3, 4, 3)).toBe(Number.POSITIVE_INFINITY)
  expect(pairThreshold([1, 2], 3, 4, 4)).toBe(Number.NEGATIVE_INFINITY)
  // DP-LLM's worked example: p = 3.2 sends 20 % of the tokens to 4 bits.
  const hundred = Array.from({ length: 101 }, (_, i) => i)
  expect(pairThreshold(hundred, 3, 4, 3.2)).toBeCloseTo(80, 9)
})

test('a sketch ascends and gives every fraction to 1/256 and one token', () => {
  fc.assert(
    fc.property(seed, fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (seed, n, fraction) => {
      const normal = createNormals(seed)
      // Distinct, as f32 estimates of different tokens are.
      const estimates = Float32Array.from(new Set(Array.from({ length: n }, () => Math.fround(Math.exp(normal())))))
      const sketch = sketchQuantiles(estimates)
      expect(sketch).toHaveLength(SKETCH_QUANTILES)
      expect(sketch.every((q, i) => i === 0 || q >= sketch[i - 1])).toBe(true)
      const threshold = thresholdAt(sketch, fraction)
      const low = estimates.filter((e) => e <= threshold).length
      expect(Math.abs(low / estimates.length - fraction)).toBeLessThanOrEqual(1 / 256 + 1 / estimates.length)
      expect(Object.is(Math.fround(threshold), threshold)).toBe(true)
    }),
  )
})

test('the ends send all tokens one way, and thresholds ascend with the fraction', () => {
  const sketch = sketchQuantiles([4, 8, 6])
  expect([0, 0.25, 0.5, 1].map((fraction) => thresholdAt(sketch, fraction))).toEqual([
    Number.NEGATIVE_INFINITY,
    5,
    6,
    Number.POSITIVE_INFINITY,
  ])
  expect(thresholdAt(sketch, 1e-9)).toBe(4)
  expect(() => thresholdAt(sketch, 1.1)).toThrow(InvalidArgumentError)
  expect(() => thresholdAt(sketch, Number.NaN)).toThrow(InvalidArgumentError)
  expect(() => thresholdAt(sketch.subarray(1), 0.5)).toThrow(/257 quantiles/)
  expect(() => sketchQuantiles([])).toThrow(/at least one/)
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    expect(() => sketchQuantiles([1, value, 2])).toThrow(/finite/)
})
