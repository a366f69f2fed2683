import type { Bounds } from './partition.js'
import type { SortedRow } from './sorted-row.js'

/**
 * The centroid of every cluster at every bit count: the weighted mean of the cluster's own elements
 * (nothing stale from the search), held within its values so that every table ascends.
 * An empty cluster takes its parent's centroid; with `seedBits`, its left neighbour's.
 * @param leaves bounds of the 2^maxBits clusters of the finest level
 * @returns f64 [2^b] for b = seedBits … maxBits
 */
export function centroidsOf(row: SortedRow, leaves: Bounds, seedBits: number, maxBits: number): Float64Array[] {
  const { weights, moments } = sumClusters(row, leaves)
  const levels: Float64Array[] = []
  for (let bits = seedBits; bits <= maxBits; bits++) {
    const centroids = new Float64Array(2 ** bits)
    const span = 2 ** (maxBits - bits)
    for (let j = 0; j < centroids.length; j++) {
      const begin = leaves[j * span]
      const end = leaves[(j + 1) * span]
      if (begin === end) {
        centroids[j] = bits === seedBits ? centroids[j - 1] : levels[levels.length - 1][j >> 1]
        continue
      }
      const node = centroids.length + j
      const mean = moments[node] / weights[node]
      centroids[j] = Math.min(Math.max(mean, row.values[begin]), row.values[end - 1])
    }
    levels.push(centroids)
  }
  return levels
}

/** Sums over the clusters of all levels, as a heap: cluster j of b bits is node 2^b + j, its halves 2·node and 2·node + 1. */
function sumClusters(row: SortedRow, leaves: Bounds): { weights: Float64Array; moments: Float64Array } {
  const count = leaves.length - 1
  const weights = new Float64Array(2 * count)
  const moments = new Float64Array(2 * count)
  for (let leaf = 0; leaf < count; leaf++) {
    for (let i = leaves[leaf]; i < leaves[leaf + 1]; i++) {
      weights[count + leaf] += row.weights[i]
      moments[count + leaf] += row.weights[i] * row.values[i]
    }
  }
  for (let node = count - 1; node >= 1; node--) {
    weights[node] = weights[2 * node] + weights[2 * node + 1]
    moments[node] = moments[2 * node] + moments[2 * node + 1]
  }
  return { weights, moments }
}
