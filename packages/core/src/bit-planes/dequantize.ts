import { f16ToF32 } from '../float16.js'
import { unpackPlanes } from './pack.js'
import { type BitPlaneWeight, lutOf, wordsPerRow } from './weight.js'

/** The matrix as f32 [rows, cols], read at `bits` bits. */
export function dequantize(weight: BitPlaneWeight, bits: number): Float32Array {
  const { rows, cols } = weight
  const lut = lutOf(weight, bits)
  const codes = unpackPlanes(weight.planes, rows, cols, bits)
  const out = new Float32Array(rows * cols)
  for (let row = 0; row < rows; row++) {
    const table = row << bits
    for (let i = row * cols; i < (row + 1) * cols; i++) out[i] = f16ToF32(lut[table + codes[i]])
  }
  return out
}

/** Row `row` of the matrix read at `bits` bits, into out f32 [cols]. */
export function dequantizeRow(weight: BitPlaneWeight, bits: number, row: number, out: Float32Array): void {
  const { rows, cols, planes } = weight
  const lut = lutOf(weight, bits)
  const words = wordsPerRow(cols)
  for (let col = 0; col < cols; col++) {
    let code = 0
    for (let plane = 0; plane < bits; plane++) {
      code = (code << 1) | ((planes[(plane * rows + row) * words + (col >>> 5)] >>> (col & 31)) & 1)
    }
    out[col] = f16ToF32(lut[(row << bits) + code])
  }
}

/** The same weight without the planes and tables above `maxBits`: a view, nothing is copied. */
export function truncateBits(weight: BitPlaneWeight, maxBits: number): BitPlaneWeight {
  lutOf(weight, maxBits)
  return {
    ...weight,
    maxBits,
    planes: weight.planes.subarray(0, (weight.planes.length / weight.maxBits) * maxBits),
    luts: weight.luts.slice(0, maxBits - weight.seedBits + 1),
  }
}
