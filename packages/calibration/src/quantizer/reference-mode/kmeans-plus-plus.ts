import type { Random } from '@dpllm/core'
import type { Bounds } from '../partition.js'
import { type Clustering, nearestBounds } from './clustering.js'
import { lowerBound, type SortedElements } from './sorted-elements.js'

/**
 * First centroids by greedy k-means++ (Arthur and Vassilvitskii 2007; algorithms.md §1.4.3 step 1): an element with
 * probability ∝ s; then each time the best of L = 2 + ⌊ln k⌋ elements drawn with probability ∝ s · (distance to the
 * nearest centroid so far)², the best being the one with the least inertia; ties go to the first drawn.
 * @returns f32 [k], ascending
 */
export function greedySeeds(row: SortedElements, k: number, random: Random): Float32Array {
  const draws = 2 + Math.floor(Math.log(k))
  let seeds = Float32Array.of(drawByWeight(row, random))
  while (seeds.length < k) {
    const assigned = assign(row, seeds)
    const candidates = Array.from({ length: draws }, () => drawByDistance(row, assigned, random))
    let best = Number.POSITIVE_INFINITY
    let next = seeds
    for (const candidate of candidates) {
      const extended = Float32Array.of(...seeds, candidate).sort()
      const inertia = inertiaOfFirst(row, assign(row, extended), row.values.length)
      if (inertia < best) {
        best = inertia
        next = extended
      }
    }
    seeds = next
  }
  return seeds
}

function assign(row: SortedElements, centroids: Float32Array): Clustering {
  return { centroids, bounds: nearestBounds(row.values, centroids) }
}

/** The value of an element drawn with probability ∝ s, by the inverse of the cumulative weights. */
export function drawByWeight({ values, weightSums }: SortedElements, random: Random): number {
  const wanted = shareOf(random) * weightSums[values.length]
  return values[lowerBound(weightSums, wanted, 1, values.length) - 1]
}

/**
 * The value of an element drawn with probability ∝ s · (w − c)², c its centroid, by the inverse of the inertia of the
 * first i elements, which the prefix sums give for any i.
 */
export function drawByDistance(row: SortedElements, clustering: Clustering, random: Random): number {
  const wanted = shareOf(random) * inertiaOfFirst(row, clustering, row.values.length)
  let low = 1
  let high = row.values.length
  while (low < high) {
    const count = (low + high) >>> 1
    if (inertiaOfFirst(row, clustering, count) < wanted) low = count + 1
    else high = count
  }
  return row.values[low - 1]
}

/** Uniform in (0, 1]; without the 0, which would draw an element of weight 0. */
function shareOf(random: Random): number {
  return 1 - random.uniform()
}

/** Σ s (w − c)² over the first `count` elements. */
export function inertiaOfFirst(row: SortedElements, { bounds, centroids }: Clustering, count: number): number {
  let sum = 0
  for (let j = 0; j < centroids.length && bounds[j] < count; j++) {
    sum += inertiaAround(row, centroids[j], bounds, j, count)
  }
  return sum
}

function inertiaAround(row: SortedElements, centroid: number, bounds: Bounds, cluster: number, count: number): number {
  const begin = bounds[cluster]
  const end = Math.min(bounds[cluster + 1], count)
  const weight = row.weightSums[end] - row.weightSums[begin]
  const moment = row.momentSums[end] - row.momentSums[begin]
  const energy = row.energySums[end] - row.energySums[begin]
  return energy - 2 * centroid * moment + centroid * centroid * weight
}
