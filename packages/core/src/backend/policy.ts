import { MAX_BITS, MIN_BITS } from '../bit-planes/weight.js'
import type { Tensor } from '../tensor.js'

/** Thresholds per select operator: one between each two neighbouring bit counts, 3|4 … 7|8. */
export const THRESHOLDS = MAX_BITS - MIN_BITS

/**
 * How a select operator gets its estimate e from the token's x [D], which is what the linear reads (D = K), or an earlier
 * value of any width (DP-LLM §5.2, asynchronous estimation):
 * - `none`: e = 0; for bits that do not depend on the token.
 * - `exact`: e = ‖(W_high − W_low) x‖₂ (DP-LLM §3); needs D = K; as dear as two products, for calibration and tests.
 * - `linear`: e = slope · ‖x‖₂ + intercept (DP-LLM §5.1, linear regression); slope and intercept are f32.
 * - `projection`: e = ‖G x‖₂ with G = A (W_high − W_low), f32 [k, D] (DP-LLM §5.1, Johnson–Lindenstrauss).
 * - `probe`: e = weights · x + bias, weights f32 [D], bias f32. No norm: it may be negative. A policy that
 *   weighs errors takes it for the logarithm of how much the loss feels an error of this linear at this token.
 */
export type Estimator =
  | { readonly kind: 'none' }
  | { readonly kind: 'exact'; readonly low: number; readonly high: number }
  | { readonly kind: 'linear'; readonly slope: number; readonly intercept: number }
  | { readonly kind: 'projection'; readonly matrix: Tensor<'f32'> }
  | { readonly kind: 'probe'; readonly weights: Tensor<'f32'>; readonly bias: number }

/**
 * What decides the bits of every select operator of a program, in the order of the operators.
 * Backends upload `estimators` once per object; `thresholds` are read anew at each step, so a target changes by
 * rewriting them between two tokens.
 */
export interface Policy {
  readonly estimators: readonly Estimator[]
  /** f32 [select operators, THRESHOLDS]: bits = 3 + number of thresholds that e is above (NaN is above all). */
  readonly thresholds: Float32Array
}

/** The thresholds row that gives `bits` whatever the estimate is. */
export function staticThresholds(bits: number): Float32Array {
  const row = new Float32Array(THRESHOLDS)
  for (let j = 0; j < THRESHOLDS; j++) row[j] = MIN_BITS + j < bits ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return row
}

/** `low` bits while e <= threshold, else `high` (DP-LLM §3). */
export function pairThresholds(low: number, high: number, threshold: number): Float32Array {
  const row = staticThresholds(low)
  for (let bits = low; bits < high; bits++) row[bits - MIN_BITS] = threshold
  return row
}

/** Fixed bits: one number for all select operators, or one for each. */
export function staticPolicy(bits: readonly number[]): Policy {
  const thresholds = new Float32Array(bits.length * THRESHOLDS)
  bits.forEach((b, i) => {
    thresholds.set(staticThresholds(b), i * THRESHOLDS)
  })
  return { estimators: bits.map(() => ({ kind: 'none' })), thresholds }
}

/** bits = MIN_BITS + number of thresholds not at or above the estimate, clamped to [seedBits, maxBits]. */
export function decideBits(
  estimate: number,
  thresholds: Float32Array,
  offset: number,
  seedBits: number,
  maxBits: number,
): number {
  let bits = MIN_BITS
  for (let j = 0; j < THRESHOLDS; j++) if (!(estimate <= thresholds[offset + j])) bits++
  return Math.min(Math.max(bits, seedBits), maxBits)
}
