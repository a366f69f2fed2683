import { createRandom } from '@dpllm/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { squaredError } from '../../testing/clustering.js'
import { splitPartition } from '../partition.js'
import { sortRow } from '../sorted-row.js'
import { lloyd } from './lloyd.js'
import { meanOf, sortElements } from './sorted-elements.js'
import { splitCluster, splitClusters } from './two-cluster-split.js'

/** Splits all of a row; the weight of 0 counts here, as others do. */
function split(values: readonly number[], weights: readonly number[] = values.map(() => 1)) {
  // Moved by 100, so that no element is 0, whose weight would be masked.
  const row = sortElements(
    Float32Array.from(values, (x) => x + 100),
    Float32Array.from(weights),
  )
  const { cut, left, right } = splitCluster(row, 0, values.length, 77)
  return { cut, left: left - 100, right: right - 100 }
}

/** Every case of algorithms.md §1.5.2, worked by hand. Cut: elements on the left. */
describe('branches', () => {
  const row = sortElements(Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(1, 0, 0, 2, 3, 4))

  test('no element: both halves get the centroid of the cluster, both borders are its own', () => {
    expect(splitCluster(row, 3, 3, 3.25)).toEqual({ cut: 3, left: 3.25, right: 3.25 })
  })

  test('one element: both centroids are it, the right half is empty', () => {
    expect(splitCluster(row, 4, 5, 0)).toEqual({ cut: 5, left: 5, right: 5 })
  })

  test('two elements: one each, whatever they weigh', () => {
    expect(splitCluster(row, 3, 5, 0)).toEqual({ cut: 4, left: 4, right: 5 })
    expect(splitCluster(row, 1, 3, 0)).toEqual({ cut: 2, left: 2, right: 3 })
    expect(splitCluster(row, 0, 2, 0)).toEqual({ cut: 1, left: 1, right: 2 })
  })

  test('no weight at all: as if all weighed 1, anywhere in the row', () => {
    expect(split([0, 1, 9, 10], [0, 0, 0, 0])).toEqual({ cut: 2, left: 0.5, right: 9.5 })
    const padded = sortElements(Float32Array.of(1, 2, 3, 11, 12, 20), Float32Array.of(5, 0, 0, 0, 0, 5))
    expect(splitCluster(padded, 1, 5, 0)).toEqual({ cut: 3, left: 2.5, right: 11.5 })
  })

  test.each([0, 1, 2, 3])('one element with weight, at %i: both centroids are it, all go left', (at) => {
    const weights = [0, 0, 0, 0]
    weights[at] = 3
    expect(split([0, 2, 5, 9], weights)).toEqual({ cut: 4, left: [0, 2, 5, 9][at], right: [0, 2, 5, 9][at] })
  })

  test('a cut whose midpoint lies between its neighbours ends the search', () => {
    // d = 2: means 0.5 and 9.5, midpoint 5 in [1, 9].
    expect(split([0, 1, 9, 10])).toEqual({ cut: 2, left: 0.5, right: 9.5 })
    // Weights draw the means: d = 2: 0.9 and 9, midpoint 4.95.
    const weighted = split([0, 1, 9, 10], [1, 9, 1, 0])
    expect(weighted.cut).toBe(2)
    expect(weighted.left).toBeCloseTo(0.9, 12)
    expect(weighted.right).toBe(9)
    // Both ends belong to the interval. d = 2: means 2 and 4, midpoint 3 = w[1]; means 1 and 5, midpoint 3 = w[2].
    expect(split([1, 3, 3.5, 4.5])).toEqual({ cut: 2, left: 2, right: 4 })
    expect(split([0.5, 1.5, 3, 7])).toEqual({ cut: 2, left: 1, right: 5 })
  })

  test('the search goes on right of a midpoint above the cut, and may end there', () => {
    // n = 7: floor 1, ceil 6. d = 3: 1 and (3 + 8 + 9 + 10) / 4 = 7.5, midpoint 4.25 > w[3] = 3: floor 4.
    // d = 5: (0 + 1 + 2 + 3 + 8) / 5 = 2.8 and 9.5, midpoint 6.15 < w[4] = 8: ceil 4. Then floor ≥ ceil.
    expect(split([0, 1, 2, 3, 8, 9, 10])).toEqual({ cut: 4, left: expect.closeTo(2.8, 12), right: 9.5 })
    // n = 6: floor 1, ceil 5. d = 3: 1 and 9, midpoint 5 > w[3] = 4: floor 4. d = 4: 1.75 and 11.5, 6.625 in [4, 11].
    expect(split([0, 1, 2, 4, 11, 12])).toEqual({ cut: 4, left: 1.75, right: 11.5 })
    // Mirrored. d = 3: 3 and 11, midpoint 7 < w[2] = 8: ceil 2. d = 1: 0 and 8.6, midpoint 4.3 > w[1] = 1: floor 2.
    expect(split([0, 1, 8, 10, 11, 13]).cut).toBe(2)
  })

  test('stale centroids: the search runs out, the cut moves on, the centroids do not', () => {
    // d = 2: 3 and 7.5, midpoint 5.25 < w[1] = 6: ceil 1. The halves {0} and {6, 7, 8} have means 0 and 7.
    expect(split([0, 6, 7, 8])).toEqual({ cut: 1, left: 3, right: 7.5 })
    // d = 2: 0.5 and 5, midpoint 2.75 > w[2] = 2: floor 3. {0, 1, 2} and {8} have means 1 and 8.
    expect(split([0, 1, 2, 8])).toEqual({ cut: 3, left: 0.5, right: 5 })
    // d = 3: 1 and 28, midpoint 14.5: floor 4. d = 5: 2 and 52.5, 27.25: floor 6. {100} alone, means 2.5 and 100.
    expect(split([0, 1, 2, 3, 4, 5, 100])).toEqual({ cut: 6, left: 2, right: 52.5 })
  })

  test('cuts that leave one side without weight are passed over', () => {
    // d = 2: nothing left of it: floor 3 = ceil. No cut was looked at: the means are those of the last one.
    expect(split([0, 1, 2, 3], [0, 0, 1, 1])).toEqual({ cut: 3, left: 2, right: 3 })
    // d = 2: nothing right of it: ceil 1 = floor.
    expect(split([0, 1, 2, 3], [1, 3, 0, 0])).toEqual({ cut: 1, left: 0, right: 1 })
    // d = 4: 1.5 and 12, midpoint 6.75 > w[4] = 4: floor 5. d = 6: nothing right of it: ceil 5. Stale again.
    const values = [0, 1, 2, 3, 4, 20, 21, 22]
    expect(split(values, [1, 1, 1, 1, 1, 1, 0, 0])).toEqual({ cut: 5, left: 1.5, right: 12 })
  })
})

test('a level has twice as many clusters: the halves of each, also of equal values', () => {
  const row = sortElements(Float32Array.of(0.1, 0.1, 0.1, 1, 1.0625, 1.3125))
  const level = { bounds: Uint32Array.of(0, 3, 3, 6), centroids: Float32Array.of(0.1, 0.7, 1.125) }
  const { bounds, centroids } = splitClusters(row, level)
  // The last by d = 4: 1 and 1.1875, midpoint 1.09375 > 1.0625: floor 5 = ceil, stale.
  expect([...bounds]).toEqual([0, 1, 3, 3, 3, 5, 6])
  expect([...centroids]).toEqual([0.1, 0.1, 0.7, 0.7, 1, 1.1875].map(Math.fround))
})

test('of the same cluster the exact split has no more error, even with the means of theirs made right', () => {
  const elements = fc.uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0.01, max: 10, noNaN: true }).map(Math.fround)),
    { minLength: 2, maxLength: 40, selector: ([value]) => value },
  )
  let better = 0
  fc.assert(
    fc.property(elements, (pairs) => {
      const values = Float32Array.from(pairs, ([value]) => value)
      const weights = Float32Array.from(pairs, ([, weight]) => weight)
      const ours = sortRow(values, weights)
      const errorOfCut = (cut: number) => {
        const all = Array.from(ours.values, (_, i) => i)
        return squaredError(ours, all.slice(0, cut)) + squaredError(ours, all.slice(cut))
      }
      const exact = errorOfCut(splitPartition(ours, Uint32Array.of(0, values.length))[1])
      const theirs = errorOfCut(splitCluster(sortElements(values, weights), 0, values.length, 0).cut)
      expect(exact).toBeLessThanOrEqual(theirs * (1 + 1e-9))
      if (exact < theirs * 0.999) better++
    }),
    { numRuns: 300, seed: 1 },
  )
  expect(better).toBeGreaterThan(30)
})

/** How many splits of at least three elements there are on the way to 256 clusters, and how many are stale. */
function countSplits(row: Float32Array, sensitivities: Float32Array, count: { all: number; stale: number }): void {
  const sorted = sortElements(row, sensitivities)
  const start = sorted.values.filter((_, i) => i % (row.length / 8) === row.length / 16)
  let level = lloyd(sorted, start)
  while (level.centroids.length < 256) {
    const next = splitClusters(sorted, level)
    for (let j = 0; j < level.centroids.length; j++) {
      const [begin, cut, end] = next.bounds.subarray(2 * j, 2 * j + 3)
      if (end - begin < 3) continue
      const mean = (from: number, to: number) => Math.fround(meanOf(sorted, from, to))
      count.all++
      if (next.centroids[2 * j] !== mean(begin, cut) || next.centroids[2 * j + 1] !== mean(cut, end)) count.stale++
    }
    level = next
  }
}

test('on Gaussian rows about three splits in ten are stale (algorithms.md §1.5.3: 29 to 31 %)', () => {
  const random = createRandom(8)
  const count = { all: 0, stale: 0 }
  for (let r = 0; r < 20; r++) {
    const row = Float32Array.from({ length: 4096 }, random.normal)
    const sensitivities = row.map(() => random.normal() ** 2)
    countSplits(row, sensitivities, count)
  }
  expect(count.all).toBeGreaterThan(20 * 200)
  expect(count.stale / count.all).toBeGreaterThan(0.2)
  expect(count.stale / count.all).toBeLessThan(0.4)
})
