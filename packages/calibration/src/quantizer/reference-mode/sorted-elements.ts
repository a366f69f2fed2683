import { argsort } from './argsort.js'

/**
 * One weight row as Any-Precision's quantizer sees it (algorithms.md §1.4.2): every element stands for itself, equal
 * values are not merged and may get different codes. n = number of elements; ranges [begin, end) are of sorted places.
 */
export interface SortedElements {
  /** f32 [n], ascending. */
  readonly values: Float32Array
  /** u32 [n]: the column of each; equal values in the order of their columns (theirs: in no fixed order). */
  readonly columns: Uint32Array
  /** f64 [n + 1]: Σ s over the first i elements; differences give the weight of any range. */
  readonly weightSums: Float64Array
  /** f64 [n + 1]: Σ s·w, not centred, as theirs. */
  readonly momentSums: Float64Array
  /** f64 [n + 1]: Σ s·w². */
  readonly energySums: Float64Array
}

/**
 * Sorts a row. Sensitivities are masked as in §1.4.1: s := 0 where the weight is 0; if nothing is left, every element
 * counts 1. Without sensitivities every element counts 1 too, zeros included, as in our own quantizer.
 * @param row f32 [n], finite
 * @param sensitivities f32 [n], finite, not negative
 */
export function sortElements(row: Float32Array, sensitivities?: Float32Array): SortedElements {
  const columns = argsort(row)
  const values = new Float32Array(row.length).map((_, i) => row[columns[i]] + 0) // −0 becomes +0
  const masked = sensitivities && values.map((value, i) => (value === 0 ? 0 : sensitivities[columns[i]]))
  return { columns, ...withSums(values, masked?.some((s) => s > 0) ? masked : undefined) }
}

/** The elements of a range with weights of 1, as a row of their own. */
export function withUnitWeights(row: SortedElements, begin: number, end: number): SortedElements {
  return { columns: row.columns.subarray(begin, end), ...withSums(row.values.subarray(begin, end)) }
}

function withSums(values: Float32Array, weights?: Float32Array): Omit<SortedElements, 'columns'> {
  const weightSums = new Float64Array(values.length + 1)
  const momentSums = new Float64Array(values.length + 1)
  const energySums = new Float64Array(values.length + 1)
  for (let i = 0; i < values.length; i++) {
    const weight = weights ? weights[i] : 1
    const moment = weight * values[i]
    weightSums[i + 1] = weightSums[i] + weight
    momentSums[i + 1] = momentSums[i] + moment
    energySums[i + 1] = energySums[i] + moment * values[i]
  }
  return { values, weightSums, momentSums, energySums }
}

/**
 * Weighted mean of a range that is not empty; the plain mean if its weight is 0. Held within the range's values: a
 * difference of sums over the whole row can be off by more than a light range weighs.
 */
export function meanOf(row: SortedElements, begin: number, end: number): number {
  const weight = row.weightSums[end] - row.weightSums[begin]
  const mean = weight === 0 ? plainMean(row.values, begin, end) : (row.momentSums[end] - row.momentSums[begin]) / weight
  return Math.min(Math.max(mean, row.values[begin]), row.values[end - 1])
}

function plainMean(values: Float32Array, begin: number, end: number): number {
  let sum = 0
  for (let i = begin; i < end; i++) sum += values[i]
  return sum / (end - begin)
}

/** The first index in [begin, end) whose value is not below `value`, or `end`: left insertion. */
export function lowerBound(ascending: Float32Array | Float64Array, value: number, begin: number, end: number): number {
  let low = begin
  let high = end
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}
