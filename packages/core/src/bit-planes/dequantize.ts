import { f16ToF32 } from '../float16.js'
import { unpackPlanes } from './pack.js'
import { type BitPlaneWeight, lutOf } from './weight.js'

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
