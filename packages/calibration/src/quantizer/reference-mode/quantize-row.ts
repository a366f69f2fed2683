import { createRandom } from '@dpllm/core'
import type { QuantizeRow } from '../quantize-rows.js'
import type { Clustering } from './clustering.js'
import { greedySeeds } from './kmeans-plus-plus.js'
import { lloyd } from './lloyd.js'
import { rowSeed } from './row-seed.js'
import { meanOf, type SortedElements, sortElements } from './sorted-elements.js'
import { splitClusters } from './two-cluster-split.js'

export interface ReferenceModeOptions {
  /** Seed of the run, u32: every row draws from a stream of its own that depends on this and the row. Default 0. */
  readonly seed?: number | undefined
  /** Recompute every table as the means of what its codes select (algorithms.md §1.5.3 a). Default false, as theirs. */
  readonly lutRefresh?: boolean | undefined
}

/**
 * Any-Precision's own quantizer for one row (algorithms.md §1.4.3, §1.5.2), to compare with ours: random seeds by
 * greedy k-means++, Lloyd, then splits by binary search. Theirs gives other bytes in each run; this does not.
 */
export function referenceModeRow({ seed = 0, lutRefresh = false }: ReferenceModeOptions = {}): QuantizeRow {
  return (weights, sensitivities, { seedBits, maxBits }, codes) => {
    const row = sortElements(weights, sensitivities)
    const levels = [lloyd(row, greedySeeds(row, 2 ** seedBits, createRandom(rowSeed(seed, weights))))]
    for (let bits = seedBits; bits < maxBits; bits++) levels.push(splitClusters(row, levels[levels.length - 1]))
    writeCodes(row, levels[levels.length - 1], codes)
    return levels.map((level) => (lutRefresh ? refreshed(row, level) : level.centroids))
  }
}

function writeCodes({ columns }: SortedElements, { bounds, centroids }: Clustering, codes: Uint8Array): void {
  for (let j = 0; j < centroids.length; j++) {
    for (let place = bounds[j]; place < bounds[j + 1]; place++) codes[columns[place]] = j
  }
}

/**
 * The weighted means of the clusters. An empty cluster keeps its centroid, or takes its left neighbour's where rounding
 * has put that above it.
 */
function refreshed(row: SortedElements, { bounds, centroids }: Clustering): Float32Array {
  const means = centroids.slice()
  for (let j = 0; j < means.length; j++) {
    if (bounds[j] < bounds[j + 1]) means[j] = meanOf(row, bounds[j], bounds[j + 1])
    else if (j > 0) means[j] = Math.max(means[j], means[j - 1])
  }
  return means
}
