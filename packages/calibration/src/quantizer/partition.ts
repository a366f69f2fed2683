import type { SortedRow } from './sorted-row.js'

/**
 * A partition of a row's distinct values into c consecutive clusters, u32 [c + 1], ascending: cluster j holds the
 * values with indices bounds[j] … bounds[j + 1] − 1. Clusters may be empty.
 */
export type Bounds = Uint32Array

/**
 * The partition into `clusters` clusters of least weighted squared error: exact 1-D k-means by dynamic programming
 * (Wang and Song 2011, "Ckmeans.1d.dp"), O(clusters · n log n). With fewer values than clusters, each value is a
 * cluster and the last clusters are empty.
 */
export function seedPartition(row: SortedRow, clusters: number): Bounds {
  const n = row.values.length
  const bounds = new Uint32Array(clusters + 1)
  if (n <= clusters) return bounds.map((_, j) => Math.min(j, n))

  let best = new Float64Array(n + 1)
  let next = new Float64Array(n + 1)
  for (let i = 1; i <= n; i++) best[i] = gain(row.weightSums[i], row.momentSums[i])
  const starts = [new Uint32Array(0), new Uint32Array(n + 1)]
  for (let m = 2; m <= clusters; m++) {
    // Only the whole row is wanted of the last number of clusters.
    const first = m === clusters ? n : m
    starts[m] = new Uint32Array(n + 1)
    addCluster(row, m, first, best, starts[m - 1], next, starts[m])
    ;[best, next] = [next, best]
  }
  bounds[clusters] = n
  for (let m = clusters; m > 1; m--) bounds[m - 1] = starts[m][bounds[m]]
  return bounds
}

/**
 * How much a cluster lowers the squared error below that of the row's mean: Σ w (x − c)² over a cluster is its
 * Σ w x², which no partition changes, minus this.
 * @param moment Σ w x, x counted from the row's mean
 */
function gain(weight: number, moment: number): number {
  return (moment * moment) / weight
}

/**
 * For every i from `first` to n, where the last of `clusters` clusters over the first i values begins best. That place
 * moves right with i and with the number of clusters, so each is searched between its neighbours' places and not
 * before that of one cluster less, from coarse to fine (divide and conquer). Ties go left.
 * @param previous f64 [n + 1], gains of one cluster less
 * @param floors u32 [n + 1], places of one cluster less
 * @param current f64 [n + 1], out: gains
 * @param starts u32 [n + 1], out: places
 */
function addCluster(
  row: SortedRow,
  clusters: number,
  first: number,
  previous: Float64Array,
  floors: Uint32Array,
  current: Float64Array,
  starts: Uint32Array,
): void {
  const { weightSums, momentSums } = row
  const last = row.values.length
  let step = 1
  while (step <= last - first) step *= 2
  for (; step >= 1; step /= 2) {
    for (let i = first + step - 1; i <= last; i += 2 * step) {
      const low = Math.max(floors[i], clusters - 1, i >= first + step ? starts[i - step] : 0)
      const high = i + step <= last ? Math.min(i - 1, starts[i + step]) : i - 1
      const weight = weightSums[i]
      const moment = momentSums[i]
      let best = -1
      let start = low
      for (let j = low; j <= high; j++) {
        const value = previous[j] + gain(weight - weightSums[j], moment - momentSums[j])
        if (value > best) {
          best = value
          start = j
        }
      }
      current[i] = best
      starts[i] = start
    }
  }
}

/**
 * Cuts every cluster in two where the weighted squared error falls most (Any-Precision LLM §4): exact, by trying every
 * cut; ties go left. A cluster of one value or none keeps it on the left and gets an empty right half.
 * @returns bounds of twice as many clusters; those of even index are the ones given
 */
export function splitPartition(row: SortedRow, bounds: Bounds): Bounds {
  const halves = new Uint32Array(2 * bounds.length - 1)
  for (let j = 0; j + 1 < bounds.length; j++) {
    halves[2 * j] = bounds[j]
    halves[2 * j + 1] = bestCut(row, bounds[j], bounds[j + 1])
    halves[2 * j + 2] = bounds[j + 1]
  }
  return halves
}

function bestCut(row: SortedRow, begin: number, end: number): number {
  if (end - begin < 2) return end
  const { weightSums, momentSums } = row
  const mean = (momentSums[end] - momentSums[begin]) / (weightSums[end] - weightSums[begin])
  let best = -1
  let cut = end
  for (let d = begin + 1; d < end; d++) {
    // Between-class variance of the halves (Otsu 1979), up to a factor that is the same for every cut.
    const left = weightSums[d] - weightSums[begin]
    const right = weightSums[end] - weightSums[d]
    const moment = momentSums[d] - momentSums[begin] - mean * left
    const value = (moment * moment) / (left * right)
    if (value > best) {
      best = value
      cut = d
    }
  }
  return cut
}
