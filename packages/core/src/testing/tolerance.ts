import { dequantize } from '../bit-planes/dequantize.js'
import type { BitPlaneWeight } from '../bit-planes/weight.js'
import { lutOf } from '../bit-planes/weight.js'
import { f16ToF32 } from '../float16.js'

/**
 * Arithmetic of a backend's products: `f32`; `precise` (16-bit centroids, 16-bit activations); `fast` (16-bit
 * centroids, from 4 bits down 8-bit ones, and 8-bit activations), with one scale of activations for each 32 columns;
 * `tensor` (f16 activations for more than 16 rows; for fewer at 3 and 4 bits 16-bit ones, with one scale for each 256 columns,
 * and 16-bit centroids, at 4 bits as 16 bits and a 14-bit difference; else f32).
 */
export type Arithmetic = 'f32' | 'precise' | 'fast' | 'tensor'

/** Largest allowed ‖y − reference‖ / ‖reference‖ of an output, by the backend's arithmetic. */
export type Tolerance = Readonly<Record<Arithmetic, number>>

const F32 = 2 ** -24

/** Bit counts up to which `fast` arithmetic has 8-bit centroids. */
const BYTE_CENTROID_BITS = 4

/** Rows up to which `tensor` arithmetic has 16-bit activations, and bit counts up to which it has 16-bit centroids. */
const FIXED_POINT_ROWS = 16
const FIXED_POINT_BITS = 4

/** The larger one of each arithmetic: for steps that differ in what they read. */
export function largestTolerance(tolerances: readonly Tolerance[]): Tolerance {
  const largest = (arithmetic: Arithmetic) => Math.max(...tolerances.map((t) => t[arithmetic]))
  return { f32: largest('f32'), precise: largest('precise'), fast: largest('fast'), tensor: largest('tensor') }
}

/** The same for every arithmetic: `roundings` f32 roundings of results of the same size. */
export function f32Tolerance(roundings: number): Tolerance {
  return everywhere(roundings * F32)
}

/**
 * Relative error of f32 sums of K terms of random sign. The partial sum after k terms has size σ√k and each addition
 * rounds it by at most 2^-24 relative, so the squared errors add up to 2^-48 σ² K²/2; relative to σ√K that is
 * 2^-24 √(K/2). One more rounding for the product and one for the result.
 */
export function sumTolerance(K: number): number {
  return F32 * (Math.sqrt(K / 2) + 2)
}

/**
 * Relative error of a product y = W x of bit-planes with x [T, K] by the arithmetic's rounding steps. A step s gives an
 * error of standard deviation s/√12; steps are the row's largest centroid / 32640 or / 127 for centroids and the group's
 * largest |x| / 32512 or / 127 for activations; in f16 of their own size. Errors of terms are independent, so their squares
 * add up over all terms of all results; the norm of n results' errors spreads by about 1/√n, and four of these are allowed. f32 sums add their own
 * error, which like the others is relative to √Σ (w x)²: where a result cancels, more than relative to itself.
 */
export function bitPlaneTolerance(weight: BitPlaneWeight, bits: number, x: Float32Array): Tolerance {
  const { rows, cols } = weight
  const T = x.length / cols
  const w = dequantize(weight, bits)
  const largestCentroids = Float64Array.from({ length: rows }, (_, row) => largestCentroid(weight, bits, row))
  const fixedSteps = Float64Array.from(largestCentroids, (largest, row) =>
    Math.max(largest / 32512, bits === 4 ? largestDifference(weight, row) / 16383 : 0),
  )
  const halfSteps = Float64Array.from(x, (value) => (value === 0 ? 0 : 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10)))
  const slack = 1 + 4 / Math.sqrt(rows * T)
  const sums = { result: 0, terms: 0, centroids: 0, activations: 0, fixed: 0, half: 0 }
  for (let t = 0; t < T; t++) {
    for (let row = 0; row < rows; row++) {
      let y = 0
      let tile = { largest: 0, squares: 0 }
      for (let group = 0; group < cols; group += 32) {
        let largest = 0
        let squares = 0
        for (let k = group; k < Math.min(group + 32, cols); k++) {
          const [a, b] = [w[row * cols + k], x[t * cols + k]]
          y += a * b
          sums.terms += (a * b) ** 2
          sums.centroids += (largestCentroids[row] * b) ** 2 / 12
          sums.fixed += (fixedSteps[row] * b) ** 2 / 12
          sums.half += (a * halfSteps[t * cols + k]) ** 2 / 12
          largest = Math.max(largest, Math.abs(b))
          squares += a * a
        }
        sums.activations += (squares * largest ** 2) / 12
        tile = { largest: Math.max(tile.largest, largest), squares: tile.squares + squares }
        if (group % 256 === 224 || group + 32 >= cols) {
          sums.fixed += (tile.squares * (tile.largest / 32512) ** 2) / 12
          tile = { largest: 0, squares: 0 }
        }
      }
      sums.result += y * y
    }
  }
  const f32 = sumTolerance(cols) * Math.sqrt(Math.max(1, sums.terms / sums.result))
  const of = (centroidLevels: number, levels: number) =>
    slack * Math.sqrt((sums.centroids / centroidLevels ** 2 + sums.activations / levels ** 2) / sums.result) + f32
  const rounding = T > FIXED_POINT_ROWS ? sums.half : bits <= FIXED_POINT_BITS ? sums.fixed : 0
  return {
    f32,
    precise: of(32640, 32512),
    fast: of(bits <= BYTE_CENTROID_BITS ? 127 : 32640, 127),
    tensor: slack * Math.sqrt(rounding / sums.result) + f32,
  }
}

/**
 * Relative error of e = weights · x + bias of x [T, D] in f32: that of sums, relative to √(Σ (w x)² + bias²), which where
 * the terms cancel is more than e itself. As errors of T results spread by about 1/√T, four of these are allowed.
 */
export function probeTolerance(weights: Float32Array, bias: number, x: Float32Array): Tolerance {
  const D = weights.length
  const T = x.length / D
  const sums = { result: 0, terms: 0 }
  for (let t = 0; t < T; t++) {
    let e = bias
    sums.terms += bias ** 2
    for (let d = 0; d < D; d++) {
      const term = weights[d] * x[t * D + d]
      e += term
      sums.terms += term ** 2
    }
    sums.result += e ** 2
  }
  const bound = (1 + 4 / Math.sqrt(T)) * sumTolerance(D) * Math.sqrt(Math.max(1, sums.terms / sums.result))
  return everywhere(bound)
}

function everywhere(bound: number): Tolerance {
  return { f32: bound, precise: bound, fast: bound, tensor: bound }
}

function largestCentroid(weight: BitPlaneWeight, bits: number, row: number): number {
  const lut = lutOf(weight, bits)
  let max = 0
  for (let i = row << bits; i < (row + 1) << bits; i++) max = Math.max(max, Math.abs(f16ToF32(lut[i])))
  return max
}

/** Of two centroids of 4 bits that differ in the last bit only. */
function largestDifference(weight: BitPlaneWeight, row: number): number {
  const lut = lutOf(weight, 4)
  let max = 0
  for (let i = row << 4; i < (row + 1) << 4; i += 2) max = Math.max(max, f16ToF32(lut[i + 1]) - f16ToF32(lut[i]))
  return max
}
