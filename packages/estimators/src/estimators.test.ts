import { createRandom } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createProjection, pairThreshold, projectedNorm, quantile } from './index.js'

test('quantile is linear between order statistics', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2)
  expect(quantile([10, 0], 0.25)).toBe(2.5)
  expect(quantile([7], 0.9)).toBe(7)
  expect(() => quantile([], 0.5)).toThrow(/at least one/)
  expect(() => quantile([1], 1.5)).toThrow(/0 to 1/)
})

test('the threshold gives the average bits on the tokens that it was measured on', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9999 }), fc.double({ min: 3.02, max: 3.98, noNaN: true }), (seed, average) => {
      const random = createRandom(seed)
      const estimates = Array.from({ length: 1000 }, () => Math.abs(random.normal()))
      const threshold = pairThreshold(estimates, 3, 4, average)
      const mean = estimates.reduce((sum, e) => sum + (e > threshold ? 4 : 3), 0) / estimates.length
      expect(Math.abs(mean - average)).toBeLessThanOrEqual(1.5 / 1000)
    }),
  )
  expect(pairThreshold([1, 2], 3, 4, 3)).toBe(Number.POSITIVE_INFINITY)
  expect(pairThreshold([1, 2], 3, 4, 4)).toBe(Number.NEGATIVE_INFINITY)
  // DP-LLM's worked example: p = 3.2 sends 20 % of the tokens to 4 bits.
  expect(
    pairThreshold(
      Array.from({ length: 101 }, (_, i) => i),
      3,
      4,
      3.2,
    ),
  ).toBeCloseTo(80, 9)
})

test('64 rows keep the norm within 15 % for about 91 % of the tokens', () => {
  const random = createRandom(5)
  const [rows, cols, tokens] = [96, 80, 400]
  const difference = Float32Array.from({ length: rows * cols }, () => random.normal())
  const matrix = createProjection(rows, cols, (n) => difference.subarray(n * cols, (n + 1) * cols), { seed: 1 })
  let within = 0
  for (let t = 0; t < tokens; t++) {
    const x = Float32Array.from({ length: cols }, () => random.normal())
    let squares = 0
    for (let n = 0; n < rows; n++) {
      let dot = 0
      for (let i = 0; i < cols; i++) dot += difference[n * cols + i] * x[i]
      squares += dot * dot
    }
    if (Math.abs(projectedNorm(matrix, x) / Math.sqrt(squares) - 1) <= 0.15) within++
  }
  // One A serves all tokens, so their errors are not independent; 0.84 leaves room for an unlucky A.
  expect(within / tokens).toBeGreaterThan(0.84)
})

test('the same seed gives the same projection', () => {
  const row = () => Float32Array.of(1, 0)
  const a = createProjection(2, 2, row, { seed: 7, k: 2 })
  const b = createProjection(2, 2, row, { seed: 7, k: 2 })
  const c = createProjection(2, 2, row, { seed: 8, k: 2 })
  expect(a.data).toEqual(b.data)
  expect(a.data).not.toEqual(c.data)
})
