/** Sensitivities below this part of their row's mean are raised to it (see `sortRow`). */
const SENSITIVITY_FLOOR = 1e-6

/**
 * One weight row prepared for clustering on a line. Equal values are merged: they always share a cluster.
 * n = number of distinct values.
 */
export interface SortedRow {
  /** f32 [n], ascending. */
  readonly values: Float32Array
  /** f64 [n]: summed sensitivities of the elements with that value, all above 0. */
  readonly weights: Float64Array
  /** u32 [cols]: index into `values` of every element. */
  readonly valueIndex: Uint32Array
  /** f64 [n + 1]: weight of the first i values. */
  readonly weightSums: Float64Array
  /** f64 [n + 1]: Σ weight · (value − mean of the row) over the first i values; centred, so that little cancels. */
  readonly momentSums: Float64Array
}

/**
 * Prepares a row. Sensitivities s follow Any-Precision LLM (its quantize.py): s := 0 where the weight is 0, and 1
 * everywhere if nothing is left. They are then raised to at least a millionth of their mean, so that elements
 * without sensitivity still get the nearest sensible code. Without sensitivities every element counts 1, zeros too.
 * @param row f32 [cols], finite
 * @param sensitivities f32 [cols], finite, not negative
 */
export function sortRow(row: Float32Array, sensitivities?: Float32Array): SortedRow {
  const values = distinctAscending(row)
  const valueIndex = new Uint32Array(row.length)
  for (let i = 0; i < row.length; i++) valueIndex[i] = indexOfValue(values, row[i])
  const weights = sumWeights(row, sensitivities, valueIndex, values.length)

  let total = 0
  let moment = 0
  for (let i = 0; i < values.length; i++) {
    total += weights[i]
    moment += weights[i] * values[i]
  }
  const mean = moment / total
  const weightSums = new Float64Array(values.length + 1)
  const momentSums = new Float64Array(values.length + 1)
  for (let i = 0; i < values.length; i++) {
    weightSums[i + 1] = weightSums[i] + weights[i]
    momentSums[i + 1] = momentSums[i] + weights[i] * (values[i] - mean)
  }
  return { values, weights, valueIndex, weightSums, momentSums }
}

function distinctAscending(row: Float32Array): Float32Array {
  const sorted = row.map((value) => value + 0).sort() // −0 becomes +0
  let count = 0
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[count++] = sorted[i]
  }
  return sorted.subarray(0, count)
}

/** Binary search for a value that is there. */
function indexOfValue(values: Float32Array, value: number): number {
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}

function sumWeights(
  row: Float32Array,
  sensitivities: Float32Array | undefined,
  valueIndex: Uint32Array,
  count: number,
): Float64Array {
  const weights = new Float64Array(count)
  let total = 0
  if (sensitivities) for (let i = 0; i < row.length; i++) total += row[i] === 0 ? 0 : sensitivities[i]
  if (sensitivities === undefined || total === 0) {
    for (let i = 0; i < row.length; i++) weights[valueIndex[i]] += 1
    return weights
  }
  const floor = (total / row.length) * SENSITIVITY_FLOOR
  for (let i = 0; i < row.length; i++) {
    const s = row[i] === 0 ? 0 : sensitivities[i]
    weights[valueIndex[i]] += Math.max(s, floor)
  }
  return weights
}
