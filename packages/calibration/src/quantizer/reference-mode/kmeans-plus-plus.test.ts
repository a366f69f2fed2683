import { createRandom } from '@dpllm/core'
import { expect, test } from 'vitest'
import { nearestBounds } from './clustering.js'
import { drawByDistance, drawByWeight, greedySeeds, inertiaOfFirst } from './kmeans-plus-plus.js'
import { sortElements } from './sorted-elements.js'

const values = Float32Array.of(-3, -1, -0.5, 0, 0.25, 1, 4, 5)
const sensitivities = Float32Array.of(1, 0, 3, 9, 2, 0.5, 0.1, 4)
const row = sortElements(values, sensitivities)

/** Pearson's statistic of draws from `values` against what is expected of each, in standard deviations from its mean. */
function deviation(draw: () => number, expected: readonly number[]): number {
  const draws = 20000
  const counts = new Map<number, number>()
  for (let i = 0; i < draws; i++) {
    const value = draw()
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const total = expected.reduce((sum, x) => sum + x, 0)
  let chiSquare = 0
  let freedom = -1
  values.forEach((value, i) => {
    const wanted = (draws * expected[i]) / total
    const found = counts.get(value) ?? 0
    if (wanted > 0) {
      chiSquare += (found - wanted) ** 2 / wanted
      freedom++
    } else expect(found).toBe(0)
  })
  return (chiSquare - freedom) / Math.sqrt(2 * freedom)
}

const weights = Array.from(values, (value, i) => (value === 0 ? 0 : sensitivities[i]))
const squared = (centroids: Float32Array) => {
  return Array.from(values, (value, i) => weights[i] * Math.min(...Array.from(centroids, (c) => (value - c) ** 2)))
}

test('the first centroid is drawn with probability ∝ s', () => {
  const random = createRandom(1)
  expect(deviation(() => drawByWeight(row, random), weights)).toBeLessThan(4)
  // The test can tell: the weight of 0 given its sensitivity, or all the same.
  const wrong = createRandom(1)
  expect(
    deviation(
      () => drawByWeight(sortElements(values), wrong),
      Array.from(values, () => 1),
    ),
  ).toBeLessThan(4)
  expect(deviation(() => drawByWeight(row, wrong), squared(Float32Array.of(20)))).toBeGreaterThan(20)
})

test.each([[[0.25]], [[-3, 4]], [[-1, 0.3, 4.5]]])('further ones with probability ∝ s · d² to the nearest of %j', (centroids) => {
  const random = createRandom(2)
  const chosen = Float32Array.from(centroids)
  const clustering = { centroids: chosen, bounds: nearestBounds(row.values, chosen) }
  expect(deviation(() => drawByDistance(row, clustering, random), squared(chosen))).toBeLessThan(4)
})

test('inertia of the first elements, from the prefix sums', () => {
  const centroids = Float32Array.of(-1, 0.5, 4)
  const clustering = { centroids, bounds: nearestBounds(row.values, centroids) }
  const each = squared(centroids)
  for (let count = 0; count <= values.length; count++) {
    const sum = each.slice(0, count).reduce((a, b) => a + b, 0)
    expect(inertiaOfFirst(row, clustering, count)).toBeCloseTo(sum, 12)
  }
})

test('the best of 2 + ⌊ln k⌋ candidates is kept', () => {
  // As the algorithm says, with inertia summed element by element: the same draws must give the same seeds.
  const data = createRandom(3)
  const many = Float32Array.from({ length: 300 }, data.normal)
  const sorted = sortElements(
    many,
    many.map(() => data.normal() ** 2),
  )
  const inertia = (centroids: Float32Array) => {
    let sum = 0
    for (let i = 0; i < many.length; i++) {
      const weight = sorted.weightSums[i + 1] - sorted.weightSums[i]
      sum += weight * Math.min(...Array.from(centroids, (c) => (sorted.values[i] - c) ** 2))
    }
    return sum
  }
  for (const [k, candidates] of [
    [2, 2],
    [8, 4],
    [16, 4],
  ]) {
    const random = createRandom(4)
    let seeds = Float32Array.of(drawByWeight(sorted, random))
    while (seeds.length < k) {
      const clustering = { centroids: seeds, bounds: nearestBounds(sorted.values, seeds) }
      const drawn = Array.from({ length: candidates }, () => drawByDistance(sorted, clustering, random))
      const extended = drawn.map((value) => Float32Array.of(...seeds, value).sort())
      seeds = extended.reduce((best, next) => (inertia(next) < inertia(best) ? next : best))
    }
    expect(greedySeeds(sorted, k, createRandom(4))).toEqual(seeds)
  }
})

test('fewer distinct values than centroids: all are values of the row', () => {
  for (const few of [Float32Array.of(2), Float32Array.of(1, 1, 1, 1, 3), new Float32Array(9)]) {
    const seeds = greedySeeds(sortElements(few), 8, createRandom(6))
    expect(seeds).toHaveLength(8)
    expect(seeds.every((value, j) => few.includes(value) && (j === 0 || value >= seeds[j - 1]))).toBe(true)
  }
})
