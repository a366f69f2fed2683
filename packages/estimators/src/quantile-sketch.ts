import { InvalidArgumentError } from '@dpllm/core'
import { sortedQuantile } from './quantile.js'

/** Quantiles of a sketch: 0, 1/256 … 1. A threshold read from it moves at most 1/256 of the tokens. */
export const SKETCH_QUANTILES = 257

/**
 * The distribution of a linear's estimates over calibration tokens in 257 ascending numbers, from which the
 * threshold for any target can be read (`thresholdAt`).
 * @param estimates at least one finite number for each token, as the running model makes them
 * @returns f32 [257]
 * @throws InvalidArgumentError
 */
export function sketchQuantiles(estimates: ArrayLike<number>): Float32Array {
  if (estimates.length === 0) throw new InvalidArgumentError('estimates', 'at least one', 'none')
  const sorted = Float64Array.from(estimates).sort()
  // NaN is sorted to the end.
  if (!(Number.isFinite(sorted[0]) && Number.isFinite(sorted[sorted.length - 1])))
    throw new InvalidArgumentError('estimates', 'finite numbers', 'one that is not finite')
  return Float32Array.from({ length: SKETCH_QUANTILES }, (_, i) => sortedQuantile(sorted, i / (SKETCH_QUANTILES - 1)))
}

/**
 * The threshold that `lowFraction` of the calibration tokens are not above, rounded to f32 as policies hold it: linear
 * between the sketch's quantiles, −∞ for 0 and +∞ for 1, so that then really none or all read the lower bits.
 * @param sketch f32 [257], ascending
 * @param lowFraction r = (high − average bits) / (high − low), the part of the tokens that reads `low` bits
 * @throws InvalidArgumentError
 */
export function thresholdAt(sketch: Float32Array, lowFraction: number): number {
  if (sketch.length !== SKETCH_QUANTILES) throw new InvalidArgumentError('sketch', `${SKETCH_QUANTILES} quantiles`, sketch.length)
  if (lowFraction === 0) return Number.NEGATIVE_INFINITY
  if (lowFraction === 1) return Number.POSITIVE_INFINITY
  return Math.fround(sortedQuantile(sketch, lowFraction))
}
