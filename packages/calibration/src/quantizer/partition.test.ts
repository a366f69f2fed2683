import { createRandom } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bestRangesError, bruteForceError, errorOfCodes, lloydError, squaredError } from '../testing/clustering.js'
import { type Bounds, seedPartition, splitPartition } from './partition.js'
import { type SortedRow, sortRow } from './sorted-row.js'

/** Elements with many ties and zeros, or with none. */
const element = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map((n) => n / 2),
  fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround),
)
const sensitivity = fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 10, noNaN: true }).map(Math.fround))

function rows(maxLength: number) {
  return fc
    .array(fc.tuple(element, sensitivity), { minLength: 1, maxLength })
    .map((pairs) => ({ row: Float32Array.from(pairs, (p) => p[0]), sensitivities: Float32Array.from(pairs, (p) => p[1]) }))
}

function errorOf(row: SortedRow, bounds: Bounds): number {
  let sum = 0
  for (let j = 0; j + 1 < bounds.length; j++) {
    sum += squaredError(
      row,
      Array.from({ length: bounds[j + 1] - bounds[j] }, (_, i) => bounds[j] + i),
    )
  }
  return sum
}

function expectSameError(actual: number, wanted: number, scale: number): void {
  expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(1e-11 * scale)
}

/** Σ w x², the size of the numbers that cancel in an error. */
function energy(row: SortedRow): number {
  return row.values.reduce((sum, x, i) => sum + row.weights[i] * x * x, 0)
}

test('the seed is the best of all assignments of up to 7 elements', () => {
  fc.assert(
    fc.property(rows(7), fc.integer({ min: 2, max: 4 }), ({ row, sensitivities }, k) => {
      const sorted = sortRow(row, sensitivities)
      expectSameError(errorOf(sorted, seedPartition(sorted, k)), bruteForceError(sorted, k), energy(sorted))
    }),
    { numRuns: 100 },
  )
})

test('the seed is the best of all cuts of up to 12 elements into up to 4 ranges', () => {
  fc.assert(
    fc.property(rows(12), fc.integer({ min: 1, max: 4 }), fc.boolean(), ({ row, sensitivities }, k, weighted) => {
      const sorted = sortRow(row, weighted ? sensitivities : undefined)
      expectSameError(errorOf(sorted, seedPartition(sorted, k)), bestRangesError(sorted, k), energy(sorted))
    }),
    { numRuns: 300 },
  )
})

test('raising sensitivities of 0 costs less than a hundred-thousandth of the best error', () => {
  fc.assert(
    fc.property(rows(12), fc.integer({ min: 2, max: 4 }), ({ row, sensitivities }, k) => {
      const given = { values: row, weights: sensitivities.map((s, i) => (row[i] === 0 ? 0 : s)) }
      fc.pre(given.weights.some((s) => s > 0))
      const sorted = sortRow(row, sensitivities)
      const bounds = seedPartition(sorted, k)
      const codes = sorted.valueIndex.map((value) => bounds.findIndex((b, j) => value >= b && value < bounds[j + 1]))
      const mean = given.weights.reduce((a, b) => a + b, 0) / row.length
      expect(errorOfCodes(given, codes)).toBeLessThanOrEqual(bestRangesError(given, k) + 1e-6 * mean * row.length * 16)
    }),
    { numRuns: 300 },
  )
})

test('divide and conquer finds what the plain O(k n²) recurrence finds on long rows, and Lloyd at best the same', () => {
  const random = createRandom(5)
  for (const n of [9, 64, 300]) {
    const values = Float32Array.from({ length: n }, () => random.normal() ** 3)
    const sensitivities = Float32Array.from({ length: n }, () => Math.exp(2 * random.normal()))
    const row = sortRow(values, sensitivities)
    const error = errorOf(row, seedPartition(row, 8))
    expectSameError(error, plainRecurrence(row, 8), energy(row))
    expect(error).toBeLessThanOrEqual(lloydError(row, 8) * (1 + 1e-12))
  }
})

function plainRecurrence({ values, weights }: SortedRow, clusters: number): number {
  const n = values.length
  let best = new Array<number>(n + 1).fill(0)
  for (let m = 1; m <= clusters; m++) {
    const next = new Array<number>(n + 1).fill(0)
    for (let i = m; i <= n; i++) {
      next[i] = Number.POSITIVE_INFINITY
      let weight = 0
      let mean = 0
      let error = 0
      // Welford's update of the error of values j … i − 1.
      for (let j = i - 1; j >= m - 1; j--) {
        weight += weights[j]
        const delta = values[j] - mean
        mean += (delta * weights[j]) / weight
        error += weights[j] * delta * (values[j] - mean)
        if (m > 1 || j === 0) next[i] = Math.min(next[i], best[j] + error)
      }
    }
    best = next
  }
  return best[n]
}

test('every split is the best cut of its own cluster, and children partition their parent', () => {
  fc.assert(
    fc.property(rows(40), ({ row, sensitivities }) => {
      const sorted = sortRow(row, sensitivities)
      let bounds = seedPartition(sorted, 2)
      for (let level = 0; level < 3; level++) {
        const halves = splitPartition(sorted, bounds)
        expect(halves.filter((_, i) => i % 2 === 0)).toEqual(bounds)
        for (let j = 0; j + 1 < bounds.length; j++) {
          const cluster = {
            values: sorted.values.subarray(bounds[j], bounds[j + 1]),
            weights: sorted.weights.subarray(bounds[j], bounds[j + 1]),
          }
          const error = errorOf(sorted, halves.subarray(2 * j, 2 * j + 3))
          expectSameError(error, bestRangesError(cluster, 2), energy(sorted))
        }
        bounds = halves
      }
    }),
    { numRuns: 100 },
  )
})

test('ties go left', () => {
  const row = sortRow(Float32Array.of(0, 1, 2))
  expect([...seedPartition(row, 2)]).toEqual([0, 1, 3])
  expect([...splitPartition(row, Uint32Array.of(0, 3))]).toEqual([0, 1, 3])
})

test('with fewer values than clusters each value is one', () => {
  expect([...seedPartition(sortRow(Float32Array.of(5, 5, -1, 5)), 4)]).toEqual([0, 1, 2, 2, 2])
  expect([...splitPartition(sortRow(Float32Array.of(7)), Uint32Array.of(0, 1, 1))]).toEqual([0, 1, 1, 1, 1])
})
