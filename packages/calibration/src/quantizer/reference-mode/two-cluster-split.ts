import type { Clustering } from './clustering.js'
import { lowerBound, meanOf, type SortedElements, withUnitWeights } from './sorted-elements.js'

/** A cluster cut in two: elements before `cut` go left. */
export interface Split {
  readonly cut: number
  readonly left: number
  readonly right: number
}

/**
 * Cuts the cluster [begin, end) in two as Any-Precision does, branch by branch (algorithms.md §1.5.2): a binary search
 * for a cut that lies between the midpoint of its halves' means. When the search runs out instead (floor ≥ ceil), the
 * cut is where it ran out but the centroids are those of the last cut that was looked at: stale, a defect (§1.5.3)
 * that is kept here, since it is part of what is compared with.
 * @param parent the cluster's own centroid
 */
export function splitCluster(row: SortedElements, begin: number, end: number, parent: number): Split {
  const { values, weightSums } = row
  if (begin === end) return { cut: begin, left: parent, right: parent }
  if (end - begin <= 2) return { cut: begin + 1, left: values[begin], right: values[end - 1] }

  const total = weightSums[end] - weightSums[begin]
  if (total === 0) {
    const { cut, ...centroids } = splitCluster(withUnitWeights(row, begin, end), 0, end - begin, parent)
    return { cut: begin + cut, ...centroids }
  }
  const last = lowerBound(weightSums, weightSums[end], begin + 1, end) - 1
  if (weightSums[last + 1] - weightSums[last] === total) return { cut: end, left: values[last], right: values[last] }
  return searchCut(row, begin, end)
}

/** The search, for at least 3 elements of which at least 2 have weight. */
function searchCut(row: SortedElements, begin: number, end: number): Split {
  const { values, weightSums } = row
  let floor = begin + 1
  let ceil = end - 1
  let left: number | undefined
  let right: number | undefined
  while (floor < ceil) {
    const cut = (floor + ceil) >>> 1
    if (weightSums[cut] === weightSums[begin]) {
      floor = cut + 1
      continue
    }
    if (weightSums[end] === weightSums[cut]) {
      ceil = cut - 1
      continue
    }
    left = meanOf(row, begin, cut)
    right = meanOf(row, cut, end)
    const midpoint = (left + right) / 2
    if (values[cut - 1] > midpoint) ceil = cut - 1
    else if (midpoint > values[cut]) floor = cut + 1
    else break
  }
  const cut = (floor + ceil) >>> 1
  return { cut, left: left ?? meanOf(row, begin, cut), right: right ?? meanOf(row, cut, end) }
}

/** Splits every cluster: the next level, of twice as many. */
export function splitClusters(row: SortedElements, { bounds, centroids }: Clustering): Clustering {
  const halves = { bounds: new Uint32Array(2 * centroids.length + 1), centroids: new Float32Array(2 * centroids.length) }
  for (let j = 0; j < centroids.length; j++) {
    const { cut, left, right } = splitCluster(row, bounds[j], bounds[j + 1], centroids[j])
    halves.bounds[2 * j + 1] = cut
    halves.bounds[2 * j + 2] = bounds[j + 1]
    halves.centroids[2 * j] = left
    halves.centroids[2 * j + 1] = right
  }
  return halves
}
