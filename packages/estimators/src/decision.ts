import { InvalidArgumentError, pairThresholds, staticThresholds, THRESHOLDS } from '@dpllm/core'
import type { LinearEstimators, PairEstimator } from './estimator-set.js'
import { thresholdAt } from './quantile-sketch.js'

/** How one linear reads at one target: `low` bits while its estimate is at most `threshold`, else `high`. */
export interface Decision {
  readonly low: number
  readonly high: number
  /** f32; ±∞ where low = high. */
  readonly threshold: number
  /** What makes the estimate; undefined where low = high, which needs none. */
  readonly pair: PairEstimator | undefined
}

/**
 * (l, h, T) of a linear from its average bits p (DP-LLM §4, phase 3): the pair that holds p, and the quantile of its
 * estimates at r = (h − p) / (h − l). A p at the end of a pair, and any whole p of a linear without pairs, is fixed.
 * @throws InvalidArgumentError if no pair holds p
 */
export function decisionAt(linear: Pick<LinearEstimators, 'name' | 'pairs'>, averageBits: number): Decision {
  const { name, pairs } = linear
  const pair = pairs.find(({ low, high }) => low < averageBits && averageBits < high)
  if (pair !== undefined) {
    const { low, high, quantiles } = pair
    return { low, high, threshold: thresholdAt(quantiles, (high - averageBits) / (high - low)), pair }
  }
  const known = pairs.length === 0 || pairs.some(({ low, high }) => low === averageBits || high === averageBits)
  if (!Number.isInteger(averageBits) || !known) {
    const held = pairs.map(({ low, high }) => `${low}|${high}`).join(', ')
    throw new InvalidArgumentError('averageBits', `bits of ${name} within ${held || 'no pair, so a whole number'}`, averageBits)
  }
  return { low: averageBits, high: averageBits, threshold: Number.POSITIVE_INFINITY, pair: undefined }
}

/**
 * Writes the thresholds of all linears for one target into the rows of a policy: all that changes when a request asks
 * for another target between two tokens. A linear that moves to another pair needs that pair's estimator too
 * (`decision.pair.estimator`).
 * @param out f32 [linears, THRESHOLDS]: `Policy.thresholds`
 * @param averageBits p of each linear at this target
 * @returns the decisions that were written, in order
 * @throws InvalidArgumentError; `out` may then be written in part
 */
export function fillThresholds(
  out: Float32Array,
  linears: readonly LinearEstimators[],
  averageBits: ArrayLike<number>,
): Decision[] {
  if (out.length !== linears.length * THRESHOLDS)
    throw new InvalidArgumentError('out', `[${linears.length}, ${THRESHOLDS}]`, `${out.length} elements`)
  if (averageBits.length !== linears.length)
    throw new InvalidArgumentError('averageBits', `one for each of ${linears.length} linears`, averageBits.length)
  return linears.map((linear, i) => {
    const decision = decisionAt(linear, averageBits[i])
    const { low, high, threshold } = decision
    out.set(low === high ? staticThresholds(low) : pairThresholds(low, high, threshold), i * THRESHOLDS)
    return decision
  })
}
