import { expect, test } from 'vitest'
import { synthetic } from '../scripts/synthetic.mjs'
import { createNormals } from './normals.js'
import { createProjection, PROJECTION_ROWS, projectedNorm, projectedNorms, scaleProjection } from './projection.js'

/** P(χ² of 2m degrees of freedom ≤ x) = 1 − e^(−x/2) Σ_{i<m} (x/2)^i / i!, since 2m is even. */
function chiSquared(x: number, m: number): number {
  let [term, sum] = [1, 0]
  for (let i = 0; i < m; i++) {
    sum += term
    term *= x / 2 / (i + 1)
  }
  return 1 - Math.exp(-x / 2) * sum
}

test('64 rows keep the norm within 15 % for 91 % of the tokens (DP-LLM §5.1)', () => {
  // ‖A y‖² / ‖y‖² is χ² of 64 degrees of freedom over 64.
  const p = chiSquared(64 * 1.15 ** 2, 32) - chiSquared(64 * 0.85 ** 2, 32)
  expect(p).toBeCloseTo(0.91, 2)
  // A matrix of its own for each token makes them independent, so the count is binomial.
  const [tokens, rows] = [4000, 12]
  let within = 0
  for (let seed = 0; seed < tokens; seed++) {
    const y = createNormals(1e6 + seed)
    let squares = 0
    const matrix = createProjection(
      rows,
      1,
      () => {
        const value = Math.fround(y())
        squares += value * value
        return Float32Array.of(value)
      },
      { seed },
    )
    if (Math.abs(projectedNorm(matrix, Float32Array.of(1)) / Math.sqrt(squares) - 1) <= 0.15) within++
  }
  // Four standard deviations: 0.018.
  expect(Math.abs(within / tokens - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / tokens))
})

test('the same seed gives the same projection', () => {
  const row = () => Float32Array.of(1, 0)
  const a = createProjection(2, 2, row, { seed: 7, k: 2 })
  expect(createProjection(2, 2, row, { seed: 7, k: 2 }).data).toEqual(a.data)
  expect(createProjection(2, 2, row, { seed: 8, k: 2 }).data).not.toEqual(a.data)
  expect(createProjection(2, 2, row, { seed: 7 }).shape).toEqual([PROJECTION_ROWS, 2])
  expect(() => createProjection(2, 2, row, { seed: 7, k: 0 })).toThrow(/k: expected a positive integer/)
})

test('norms of many tokens are those of each', () => {
  const { x, rowOf } = synthetic(createNormals(1001), { rows: 9, cols: 13, tokens: 7 })
  const matrix = createProjection(9, 13, rowOf, { seed: 1, k: 5 })
  const each = Array.from({ length: 7 }, (_, t) => projectedNorm(matrix, x.subarray(t * 13, (t + 1) * 13)))
  expect(projectedNorms(matrix, x)).toEqual(Float32Array.from(each))
  expect(projectedNorms(scaleProjection(matrix, 4), x)).toEqual(Float32Array.from(each, (norm) => 4 * norm))
})
