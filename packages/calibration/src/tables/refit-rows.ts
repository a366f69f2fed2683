import { type BitPlaneWeight, f16ToF32, f32ToF16, lutOf } from '@dpllm/core'
import { fitTable } from './least-squares.js'
import { halveClasses, tableMoments } from './refit-moments.js'

export interface RefitRows {
  /** f32 [cols, cols]: second moments of the inputs, symmetric and finite. */
  readonly covariance: Float32Array
  /** What holds the codes and the tables that there are. */
  readonly weight: BitPlaneWeight
  /** f32 [count, cols], finite: the original rows from `first`. */
  readonly original: Float32Array
  readonly first: number
  /** Bit counts whose tables are fitted, ascending. */
  readonly bits: readonly number[]
}

/**
 * Fits the tables of some rows by least squares of the outputs (`fitTable`), the codes as they are. A row's moments are
 * added up at the most bits; codes are nested, so those of fewer bits are sums of neighbours. Deterministic, in f64; the
 * native version in @dpllm/cpu-kernels gives the same bytes.
 * @returns f16 [count, 2^b] for every b of `bits`, ascending
 */
export function refitRows({ covariance, weight, original, first, bits }: RefitRows): Uint16Array[] {
  const { cols } = weight
  const count = original.length / cols
  const fitted = bits.map((b) => new Uint16Array(count * 2 ** b))
  const most = bits[bits.length - 1]
  const codes = new Uint8Array(cols)
  for (let row = 0; row < count; row++) {
    unpackRow(weight, first + row, most, codes)
    let moments = tableMoments(covariance, codes, original.subarray(row * cols, (row + 1) * cols), 2 ** most)
    for (let level = bits.length - 1; level >= 0; level--) {
      const classes = 2 ** bits[level]
      while (moments.counts.length > classes) moments = halveClasses(moments)
      const lut = lutOf(weight, bits[level])
      const old = Float64Array.from({ length: classes }, (_, c) => f16ToF32(lut[(first + row) * classes + c]))
      fitTable(moments, old).forEach((entry, c) => {
        fitted[level][row * classes + c] = f32ToF16(entry)
      })
    }
  }
  return fitted
}

/** Codes u8 [cols] of `bits` bits of one row. */
function unpackRow({ planes, rows, cols }: BitPlaneWeight, row: number, bits: number, codes: Uint8Array): void {
  const words = Math.ceil(cols / 32)
  codes.fill(0)
  for (let plane = 0; plane < bits; plane++) {
    const base = (plane * rows + row) * words
    for (let k = 0; k < cols; k++) codes[k] = (codes[k] << 1) | ((planes[base + (k >>> 5)] >>> (k & 31)) & 1)
  }
}
