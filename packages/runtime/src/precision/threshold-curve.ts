import type { ThresholdPolicyData } from '../profile/schema.js'
import { createTargetCurve, type TargetCurve } from './target-curve.js'

/** What averages are weighted and bounded by; of a loaded model, or of its files. */
export interface SizedLinear {
  readonly module: string
  readonly rows: number
  readonly cols: number
  readonly minBits: number
}

/**
 * The averages p of all linears for every target: those of the profile with their shifts, and what lies between.
 * @param linears whose averages are wanted, in order: the profile must have all of them
 */
export function thresholdCurve({ targets, estimators }: ThresholdPolicyData, linears: readonly SizedLinear[]): TargetCurve {
  const pairsOf = new Map(estimators.linears.map(({ name, pairs }) => [name, pairs]))
  const bounds = linears.map(({ module, rows, cols, minBits }) => {
    const pairs = pairsOf.get(module) ?? []
    const [least, most] = pairs.length === 0 ? [minBits, minBits] : [pairs[0].low, pairs[pairs.length - 1].high]
    return { weights: rows * cols, least, most }
  })
  const points = targets.map(({ targetBits, shift, averageBits }) => ({
    targetBits,
    averageBits: linears.map(({ module }) => averageBits[module] + shift),
  }))
  return createTargetCurve(points, bounds)
}
