import type { BitPlaneWeight } from '../bit-planes/weight.js'
import { lutOf } from '../bit-planes/weight.js'
import { f16ToF32 } from '../float16.js'

/**
 * Arithmetic of a backend's products: `f32`; `precise` (16-bit centroids, 16-bit activations); `fast` (16-bit
 * centroids, 8-bit activations). Activations have one scale for each 32 columns.
 */
export type Arithmetic = 'f32' | 'precise' | 'fast'

/** Largest allowed ‖y − reference‖ / ‖reference‖ of an output, by the backend's arithmetic. */
export type Tolerance = Readonly<Record<Arithmetic, number>>

const F32 = 2 ** -24

/** The same for every arithmetic: `roundings` f32 roundings of results of the same size. */
export function f32Tolerance(roundings: number): Tolerance {
  const bound = roundings * F32
  return { f32: bound, precise: bound, fast: bound }
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
 * Relative error of a product of bit-planes with x [T, K] by the arithmetic's rounding steps. A step s gives an error
 * of s/√12 for each term; steps are the row's largest centroid / 32640 for centroids and the group's largest |x| /
 * 32512 or / 127 for activations, here measured on the data itself. Terms are independent, so relative errors of
 * terms and of sums are equal, up to the fluctuation of a finite sample: over n results the ratio of two sample norms
 * spreads by about 1/√n, and four of these are allowed.
 */
export function bitPlaneTolerance(weight: BitPlaneWeight, bits: number, x: Float32Array): Tolerance {
  const T = x.length / weight.cols
  const slack = 1 + 4 / Math.sqrt(weight.rows * T)
  const centroid = centroidError(weight, bits)
  const of = (levels: number) => slack * Math.hypot(centroid, activationError(x, weight.cols, levels)) + sumTolerance(weight.cols)
  return { f32: sumTolerance(weight.cols), precise: of(32512), fast: of(127) }
}

function centroidError(weight: BitPlaneWeight, bits: number): number {
  const lut = lutOf(weight, bits)
  let steps = 0
  let squares = 0
  for (let row = 0; row < weight.rows; row++) {
    let max = 0
    let sum = 0
    for (let i = row << bits; i < (row + 1) << bits; i++) {
      const c = f16ToF32(lut[i])
      max = Math.max(max, Math.abs(c))
      sum += c * c
    }
    steps += (max / 32640) ** 2 / 12
    squares += sum / (1 << bits)
  }
  return Math.sqrt(steps / squares)
}

function activationError(x: Float32Array, K: number, levels: number): number {
  let steps = 0
  let squares = 0
  for (let start = 0; start < x.length; start += K) {
    for (let group = start; group < start + K; group += 32) {
      let max = 0
      const end = Math.min(group + 32, start + K)
      for (let i = group; i < end; i++) {
        max = Math.max(max, Math.abs(x[i]))
        squares += x[i] * x[i]
      }
      steps += (end - group) * ((max / levels) ** 2 / 12)
    }
  }
  return Math.sqrt(steps / squares)
}
