import { type BitPlaneWeight, type FloatTensor, type Random, toFloat16, wordsPerRow } from '@dpllm/core'
import { allocate } from '@dpllm/cpu-kernels'

/** Rows whose tables are drawn; the others repeat them, since converting every row's 504 centroids takes longest of all. */
const DISTINCT_ROWS = 16

/**
 * Bit-planes of uniformly random codes, made quickly: for measuring speed on shapes of real models. Tables ascend as a
 * normal distribution's quantiles do, of standard deviation 1/√cols, so that activations keep their size. In memory as a model's
 * files are read into.
 */
export function fastRandomPlanes(random: Random, rows: number, cols: number, seedBits: number, maxBits: number): BitPlaneWeight {
  const words = wordsPerRow(cols)
  const planes = new Uint32Array(allocate(4 * maxBits * rows * words))
  const last = cols % 32 === 0 ? 0xffffffff : 2 ** (cols % 32) - 1
  for (let i = 0; i < planes.length; i++) planes[i] = random.uint32()
  if (last !== 0xffffffff) for (let i = words - 1; i < planes.length; i += words) planes[i] &= last

  const scales = Array.from({ length: DISTINCT_ROWS }, () => (0.8 + 0.4 * random.uniform()) / Math.sqrt(cols))
  const luts: Uint16Array[] = []
  for (let bits = seedBits; bits <= maxBits; bits++) {
    const quantiles = normalQuantiles(2 ** bits)
    const distinct = toFloat16(scales.flatMap((scale) => quantiles.map((q) => q * scale)))
    const lut = new Uint16Array(rows << bits)
    for (let at = 0; at < lut.length; at += distinct.length) lut.set(distinct.subarray(0, lut.length - at), at)
    luts.push(lut)
  }
  return { kind: 'bitPlanes', rows, cols, seedBits, maxBits, planes, luts }
}

/** A random f16 matrix of magnitudes from 2^-6 to 2^-5: random sign and mantissa bits under a fixed exponent. */
export function fastRandomHalves(random: Random, rows: number, cols: number): FloatTensor {
  const words = new Uint32Array(allocate(4 * Math.ceil((rows * cols) / 2)))
  for (let i = 0; i < words.length; i++) words[i] = (random.uint32() & 0x83ff83ff) | 0x24002400
  return { dtype: 'f16', shape: [rows, cols], data: new Uint16Array(words.buffer, 0, rows * cols) }
}

/** Values of the standard normal distribution that cut it into n equally likely parts, in the middle of each. */
function normalQuantiles(n: number): number[] {
  return Array.from({ length: n }, (_, i) => normalQuantile((i + 0.5) / n))
}

/** Inverse of the normal distribution function, to 4.5e-4 (Abramowitz and Stegun 1964, 26.2.23). */
function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p)
  const t = Math.sqrt(-2 * Math.log(p))
  return (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3) - t
}
