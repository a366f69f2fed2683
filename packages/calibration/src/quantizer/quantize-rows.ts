import { type BitPlaneWeight, f32ToF16, InvalidArgumentError, MAX_BITS, MIN_BITS, packPlanes } from '@dpllm/core'
import { centroidsOf } from './centroids.js'
import { firstBadSensitivity, firstUnquantizable, MAX_F16 } from './check-values.js'
import { type Bounds, seedPartition, splitPartition } from './partition.js'
import { type SortedRow, sortRow } from './sorted-row.js'

/** Bit counts of a matrix's levels. */
export interface LevelBits {
  readonly seedBits: number
  readonly maxBits: number
}

/**
 * Quantizes one row f32 [cols], with sensitivities f32 [cols] or none.
 * @param codes u8 [cols], out: codes of maxBits bits
 * @returns the tables, [2^b] ascending for b = seedBits … maxBits, before they are rounded to halves
 */
export type QuantizeRow = (
  row: Float32Array,
  sensitivities: Float32Array | undefined,
  bits: LevelBits,
  codes: Uint8Array,
) => readonly (Float32Array | Float64Array)[]

export interface QuantizeRowsOptions {
  /** Columns of the matrix. */
  readonly cols: number
  /** Bits of the exact k-means that the splits begin from. Default 3. */
  readonly seedBits?: number
  /** Bits of the finest level, up to 8. Default 8. */
  readonly maxBits?: number
  /** f32 [rows, cols], how much the loss grows with the squared error of each weight; finite, not negative. Default 1. */
  readonly sensitivities?: Float32Array | undefined
}

/**
 * Quantizes a matrix row by row to nested bit-planes (Any-Precision LLM §4) with exact steps where the published code
 * uses heuristics: the seed is the optimal weighted k-means, every split is the optimal one of its cluster, and every
 * table holds the means of what its codes select. Deterministic: f64 sums in a fixed order, ties to the left; the
 * native version in @dpllm/cpu-kernels gives the same bytes.
 * @param weights f32 [rows, cols], finite, magnitudes up to 65504
 * @throws InvalidArgumentError
 */
export function quantizeRows(weights: Float32Array, options: QuantizeRowsOptions): BitPlaneWeight {
  return quantizeEachRow(weights, options, exactRow)
}

const exactRow: QuantizeRow = (weights, sensitivities, { seedBits, maxBits }, codes) => {
  const row = sortRow(weights, sensitivities)
  let bounds = seedPartition(row, 2 ** seedBits)
  for (let bits = seedBits; bits < maxBits; bits++) bounds = splitPartition(row, bounds)
  writeCodes(row, bounds, codes)
  return centroidsOf(row, bounds, seedBits, maxBits)
}

/**
 * As `quantizeRows`, by a given way to quantize a row.
 * @throws InvalidArgumentError
 */
export function quantizeEachRow(weights: Float32Array, options: QuantizeRowsOptions, quantizeRow: QuantizeRow): BitPlaneWeight {
  const { cols, seedBits = MIN_BITS, maxBits = MAX_BITS, sensitivities } = options
  const rows = checkQuantizeRows(weights, options)
  const codes = new Uint8Array(rows * cols)
  const luts: Uint16Array[] = []
  for (let bits = seedBits; bits <= maxBits; bits++) luts.push(new Uint16Array(rows * 2 ** bits))

  for (let r = 0; r < rows; r++) {
    const [begin, end] = [r * cols, (r + 1) * cols]
    const tables = quantizeRow(
      weights.subarray(begin, end),
      sensitivities?.subarray(begin, end),
      { seedBits, maxBits },
      codes.subarray(begin, end),
    )
    tables.forEach((centroids, level) => {
      for (let j = 0; j < centroids.length; j++) luts[level][r * centroids.length + j] = f32ToF16(centroids[j])
    })
  }
  return { kind: 'bitPlanes', rows, cols, seedBits, maxBits, planes: packPlanes(codes, rows, cols, maxBits), luts }
}

/** The code of an element is the cluster of its value. */
function writeCodes(row: SortedRow, bounds: Bounds, codes: Uint8Array): void {
  const codeOfValue = new Uint8Array(row.values.length)
  for (let j = 0; j + 1 < bounds.length; j++) codeOfValue.fill(j, bounds[j], bounds[j + 1])
  for (let i = 0; i < codes.length; i++) codes[i] = codeOfValue[row.valueIndex[i]]
}

/**
 * Checks the arguments of `quantizeRows`.
 * @returns the number of rows
 * @throws InvalidArgumentError
 */
export function checkQuantizeRows(weights: Float32Array, options: QuantizeRowsOptions): number {
  const { cols, seedBits = MIN_BITS, maxBits = MAX_BITS, sensitivities } = options
  if (!Number.isInteger(cols) || cols < 1) throw new InvalidArgumentError('cols', 'a positive integer', cols)
  if (!Number.isInteger(maxBits) || maxBits < 1 || maxBits > MAX_BITS) {
    throw new InvalidArgumentError('maxBits', `an integer from 1 to ${MAX_BITS}`, maxBits)
  }
  if (!Number.isInteger(seedBits) || seedBits < 1 || seedBits > maxBits) {
    throw new InvalidArgumentError('seedBits', `an integer from 1 to maxBits = ${maxBits}`, seedBits)
  }
  if (weights.length % cols !== 0) throw new InvalidArgumentError('weights', `rows of ${cols} values`, `${weights.length} values`)
  const bad = firstUnquantizable(weights)
  if (bad >= 0) {
    const place = `row ${Math.floor(bad / cols)}, column ${bad % cols}`
    throw new InvalidArgumentError('weights', `finite values up to ${MAX_F16}`, `${weights[bad]} at ${place}`)
  }
  if (sensitivities) {
    if (sensitivities.length !== weights.length) {
      throw new InvalidArgumentError('sensitivities', `${weights.length} values, one for each weight`, sensitivities.length)
    }
    const wrong = firstBadSensitivity(sensitivities)
    if (wrong >= 0)
      throw new InvalidArgumentError('sensitivities', 'finite values of at least 0', `${sensitivities[wrong]} at ${wrong}`)
  }
  return weights.length / cols
}
