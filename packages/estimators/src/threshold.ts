import { quantile } from './quantile.js'

/**
 * The threshold above which a token's estimate asks for the higher of two bit counts, so that the mean over the
 * calibration tokens is `averageBits` (DP-LLM §4, phase 3): the r-quantile of the estimates with
 * r = (high − averageBits) / (high − low), the part of the tokens that reads `low` bits. As in the paper's code,
 * r > 0.99 always reads low and r < 0.01 always high.
 * @param estimates one for each calibration token
 */
export function pairThreshold(estimates: ArrayLike<number>, low: number, high: number, averageBits: number): number {
  const r = (high - averageBits) / (high - low)
  if (r > 0.99) return Number.POSITIVE_INFINITY
  if (r < 0.01) return Number.NEGATIVE_INFINITY
  return quantile(estimates, r)
}
