import type { Bounds } from '../partition.js'
import { type Clustering, nearestBounds } from './clustering.js'
import { meanOf, type SortedElements } from './sorted-elements.js'

/** Rounds that Any-Precision allows. */
const MAX_ROUNDS = 50

/**
 * Lloyd's algorithm on a sorted row (algorithms.md §1.4.3 step 2): elements to their nearest centroids, centroids to
 * the means of their elements, until the borders repeat, at most 50 times. An empty cluster keeps its centroid; one
 * without weight gets the plain mean.
 * @param start f32 [k], ascending
 */
export function lloyd(row: SortedElements, start: Float32Array): Clustering {
  const centroids = start.slice()
  let bounds: Bounds = new Uint32Array(0)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = nearestBounds(row.values, centroids)
    if (next.every((bound, j) => bound === bounds[j])) break
    bounds = next
    for (let j = 0; j < centroids.length; j++) {
      if (bounds[j] < bounds[j + 1]) centroids[j] = meanOf(row, bounds[j], bounds[j + 1])
    }
  }
  return { bounds, centroids }
}
