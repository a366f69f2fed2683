import { packPlanes } from '../bit-planes/pack.js'
import type { BitPlaneWeight } from '../bit-planes/weight.js'
import { f32ToBf16, toFloat16 } from '../float16.js'
import { createRandom, type Random } from '../random.js'
import type { FloatTensor, Tensor } from '../tensor.js'

/** Standard normal values times `scale`, f32 of the shape. */
export function randomTensor(random: Random, shape: readonly number[], scale = 1): Tensor<'f32'> {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
  for (let i = 0; i < data.length; i++) data[i] = random.normal() * scale
  return { dtype: 'f32', shape, data }
}

/** The same values rounded to another floating-point type. */
export function castTensor(tensor: Tensor<'f32'>, dtype: FloatTensor['dtype']): FloatTensor {
  if (dtype === 'f32') return tensor
  const data = dtype === 'f16' ? toFloat16(tensor.data) : Uint16Array.from(tensor.data, f32ToBf16)
  return { dtype, shape: tensor.shape, data }
}

/**
 * A random nested weight: uniform codes, and for each row and bit count ascending centroids spread as a normal
 * distribution's quantiles are. It is no quantized matrix, but every code and table differs.
 */
export function randomBitPlanes(seed: number, rows: number, cols: number, seedBits = 3, maxBits = 8): BitPlaneWeight {
  const random = createRandom(seed)
  const codes = new Uint8Array(rows * cols)
  for (let i = 0; i < codes.length; i++) codes[i] = random.uint32() >>> (32 - maxBits)
  const luts: Uint16Array[] = []
  for (let bits = seedBits; bits <= maxBits; bits++) {
    const lut = new Uint16Array(rows << bits)
    for (let row = 0; row < rows; row++) {
      const centroids = Array.from({ length: 1 << bits }, () => 0.02 * random.normal()).sort((a, b) => a - b)
      lut.set(toFloat16(centroids), row << bits)
    }
    luts.push(lut)
  }
  return { kind: 'bitPlanes', rows, cols, seedBits, maxBits, planes: packPlanes(codes, rows, cols, maxBits), luts }
}
