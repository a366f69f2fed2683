import { type RowOf, rowBlocks } from './row-blocks.js'
import { addWeightedRows } from './weighted-rows.js'

/**
 * Cᵀ D, f64 [k, cols]: k combinations of the rows of a matrix, each sum in the order of the rows.
 * @param coefficients f64 [rows, k]
 */
export function combineRows(coefficients: Float64Array, rows: number, cols: number, rowOf: RowOf): Float64Array<ArrayBuffer> {
  const k = coefficients.length / rows
  const sums = new Float64Array(k * cols)
  for (const [first, block] of rowBlocks(rows, cols, rowOf)) {
    const count = block.length / cols
    addWeightedRows(coefficients.subarray(first * k, (first + count) * k), block, cols, sums)
  }
  return sums
}
