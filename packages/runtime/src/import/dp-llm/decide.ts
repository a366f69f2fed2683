import { FileFormatError, MIN_BITS } from '@dpllm/core'
import type { DecisionData } from '../../profile/fixed-schema.js'
import type { DpLlmArtefacts } from './read-artefacts.js'

/** Least part of the variance that a regression on ‖x‖ must explain to be used (DP-LLM §5.1). */
const MIN_R_SQUARED = 0.9

/** How DP-LLM estimates a linear's error; `none` where it always reads the same. */
export type EstimatorKind = 'none' | 'linear' | 'projection'

/**
 * What DP-LLM does with a linear at a target. Where the budget leaves it nothing to decide, its files say −1, meaning the
 * fewest bits; an infinite threshold sends all tokens one way.
 * @param folder for messages
 * @throws FileFormatError naming the module, if a file lacks it or two files contradict each other
 */
export function decide(
  module: string,
  { thresholds, regressions }: DpLlmArtefacts,
  folder: string,
): { decision: DecisionData; kind: EstimatorKind } {
  const fail = (message: string) => new FileFormatError(folder, message, { item: module })
  const found = thresholds.get(module)
  if (found === undefined) throw fail('T_d.pt has no threshold for this linear of the model')
  const { low, high, threshold } = found
  const fixed = (bits: number) => ({ decision: { low: bits, high: bits, threshold: null }, kind: 'none' as const })
  if (low === -1 && high === -1) return fixed(MIN_BITS)
  if (!(Number.isInteger(low) && Number.isInteger(high) && low <= high)) {
    throw fail(`T_d.pt: expected whole numbers of bits low <= high, found ${low}, ${high}`)
  }
  if (low === high || threshold === Number.POSITIVE_INFINITY) return fixed(low)
  if (threshold === Number.NEGATIVE_INFINITY) return fixed(high)
  if (Number.isNaN(threshold)) throw fail('T_d.pt: the threshold is not a number')

  const decision = { low, high, threshold }
  const regression = regressions.get(module)
  if (regression === undefined || !(regression.r ** 2 >= MIN_R_SQUARED)) return { decision, kind: 'projection' }
  const { slope, intercept } = regression
  if (regression.low !== low || regression.high !== high) {
    throw fail(`linear_reg_d.pt is of ${regression.low} and ${regression.high} bits, but T_d.pt of ${low} and ${high}`)
  }
  if (!Number.isFinite(slope) || !Number.isFinite(intercept)) throw fail('linear_reg_d.pt: the regression is not finite')
  return { decision: { ...decision, estimator: { kind: 'linear', slope, intercept } }, kind: 'linear' }
}
