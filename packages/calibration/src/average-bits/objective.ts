import { meanBits } from '@dpllm/runtime'
import { type AveragedLinear, averageBitsOf, averageBitsSlopes } from './parametrization.js'

/** How the mean bits are held at the target. */
export interface MeanBitsPenalty {
  readonly targetBits: number
  /** Weight α of the squared distance (DP-LLM §4, equation 1). */
  readonly alpha: number
}

/** α (Σ p M / Σ M − target)² at z: two-sided, as the cross entropy alone lets every p rise to the most bits. */
export function meanBitsPenalty(
  linears: readonly AveragedLinear[],
  z: ArrayLike<number>,
  { targetBits, alpha }: MeanBitsPenalty,
): number {
  return alpha * (meanBits(linears, averageBitsOf(linears, z)) - targetBits) ** 2
}

/**
 * Gradient with respect to z of cross entropy + penalty, given that of the cross entropy with respect to p.
 * @param byAverageBits [linears]
 * @returns f64 [linears], 0 for fixed linears
 */
export function objectiveGradient(
  linears: readonly AveragedLinear[],
  z: ArrayLike<number>,
  byAverageBits: ArrayLike<number>,
  { targetBits, alpha }: MeanBitsPenalty,
): Float64Array {
  const distance = meanBits(linears, averageBitsOf(linears, z)) - targetBits
  const total = linears.reduce((sum, { weights }) => sum + weights, 0)
  const slopes = averageBitsSlopes(linears, z)
  return slopes.map((slope, i) => slope * (byAverageBits[i] + (2 * alpha * distance * linears[i].weights) / total))
}
