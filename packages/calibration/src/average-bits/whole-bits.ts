import type { AveragedLinear } from './parametrization.js'

/** Running moments of single windows' gradients with respect to p. */
export interface GradientMoments {
  /** f64 [linears], of √n times the gradient of the mean cross entropy of a window of n predictions. */
  readonly mean: Float64Array
  /** f64 [linears], of its square. */
  readonly square: Float64Array
}

/** A memory of some thirty windows: p moves, and with it what a step of one bit changes. */
const DECAY = 0.97
/** Fewest windows whose variance is used. */
const WINDOWS = 8

/** Moments of no windows yet. */
export function createGradientMoments(length: number): GradientMoments {
  return { mean: new Float64Array(length), square: new Float64Array(length) }
}

/** Adds a window's gradient f64 [linears] of its mean cross entropy, over so many predictions, to the moments in place. */
export function addGradient({ mean, square }: GradientMoments, gradient: Float64Array, predictions: number): void {
  gradient.forEach((value, i) => {
    const g = Math.sqrt(predictions) * value
    mean[i] = DECAY * mean[i] + (1 - DECAY) * g
    square[i] = DECAY * square[i] + (1 - DECAY) * g * g
  })
}

/**
 * Gradient with respect to p of Σ ½ b f (1 − f), f = p − ⌊p⌋: what the loss of reading l or h, h with probability f, is above
 * that of the mixture, to second order. The mixture averages the two errors, and so hides what either does:
 * (1 − f) d_l² + f d_h² = ((1 − f) d_l + f d_h)² + f (1 − f) (d_h − d_l)². The curvature b along p is taken for the variance of
 * the gradient of one prediction (Fisher information), and that from the variance between windows.
 * @param windows that the moments are of; of few, 0 is returned
 * @returns f64 [linears]
 */
export function wholeBitsGradient(
  linears: readonly AveragedLinear[],
  averageBits: Float64Array,
  { mean, square }: GradientMoments,
  windows: number,
): Float64Array {
  if (windows < WINDOWS) return new Float64Array(linears.length)
  const sum = 1 - DECAY ** windows
  return Float64Array.from(linears, ({ minBits, maxBits }, i) => {
    if (minBits === maxBits) return 0
    const low = Math.min(Math.floor(averageBits[i]), maxBits - 1)
    const variance = square[i] / sum - (mean[i] / sum) ** 2
    return variance * (0.5 - (averageBits[i] - low))
  })
}
