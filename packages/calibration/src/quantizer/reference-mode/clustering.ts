import type { Bounds } from '../partition.js'
import { lowerBound } from './sorted-elements.js'

/** Consecutive clusters of a sorted row with their centroids. k = number of clusters. */
export interface Clustering {
  /** u32 [k + 1] of sorted places. */
  readonly bounds: Bounds
  /** f32 [k], ascending: theirs are f32 at every level too. */
  readonly centroids: Float32Array
}

/**
 * Gives every element to its nearest centroid: the borders are the first elements not below the midpoints, so that an
 * element on a midpoint goes right.
 * @param values f32 [n], ascending
 * @param centroids f32 [k], ascending
 * @returns u32 [k + 1]
 */
export function nearestBounds(values: Float32Array, centroids: Float32Array): Bounds {
  const bounds = new Uint32Array(centroids.length + 1)
  for (let j = 1; j < centroids.length; j++) {
    const midpoint = Math.fround(centroids[j - 1] + centroids[j]) / 2
    bounds[j] = lowerBound(values, midpoint, 0, values.length)
  }
  bounds[centroids.length] = values.length
  return bounds
}
