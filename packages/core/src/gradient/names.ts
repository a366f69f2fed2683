import type { AccumulateMode } from '../program/gradient-operators.js'

/**
 * A weight whose gradient is accumulated over steps, and how: as `Accumulate` does, or, of bit-planes, with respect to the
 * entries of the tables (`AccumulateTables`), whose bit counts size the accumulator.
 */
export type WeightGradient =
  | { readonly weight: string; readonly mode: AccumulateMode }
  | { readonly weight: string; readonly mode: 'tables'; readonly seedBits: number; readonly maxBits: number }

/** Value of a gradient program that holds the gradient of `value`. */
export function gradientName(value: string): string {
  return `grad:${value}`
}

/** Input of a gradient program that gives the gradient of `value`. */
export function givenName(value: string): string {
  return `given:${value}`
}

/** Accumulator of a gradient program. */
export function accumulatorName({ weight, mode }: Pick<WeightGradient, 'weight' | 'mode'>): string {
  return `${mode}:${weight}`
}

/** Input f32[1] that gives the average bits of a weight. */
export function averageBitsName(weight: string): string {
  return `averageBits:${weight}`
}
