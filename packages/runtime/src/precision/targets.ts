import type { ProfileData } from '../profile/schema.js'
import { type SizedLinear, thresholdCurve } from './threshold-curve.js'

/** Rounding errors of targets, some of which are means. */
export const ROUNDING = 1e-9

/** Average bits of a budget that may be left over, as no linear is small enough to spend them: what targets are met within. */
const UNSPENT = 0.02

/** A target that a profile was calibrated for. */
export interface ProfileTarget {
  readonly targetBits: number
  /** What the calibration read with it; of a static allocation, which reads the same on every text, its mean. */
  readonly measuredBits: number
}

/** The targets that a profile was calibrated for, in its order; `threshold` and `budget` serve those between them, too. */
export function profileTargets({ policy }: ProfileData): ProfileTarget[] {
  if (policy.kind === 'static')
    return policy.allocations.map(({ targetBits, averageBits }) => ({ targetBits, measuredBits: averageBits }))
  const all = policy.kind === 'budget' ? policy.prices : policy.targets
  return all.map(({ targetBits, measuredBits }) => ({ targetBits, measuredBits }))
}

/**
 * The targets that a profile of another kind than `fixed` can be asked for.
 * @param linears all linears of the model, for which the profile has been checked
 */
export function targetRange(data: ProfileData, linears: readonly SizedLinear[]): readonly [least: number, most: number] {
  const { policy } = data
  if (policy.kind === 'threshold') return askableRange(thresholdCurve(policy, linears).range, data)
  const all = policy.kind === 'static' ? policy.allocations : policy.kind === 'budget' ? policy.prices : policy.targets
  return askableRange([all[0].targetBits, all[all.length - 1].targetBits], data)
}

/** A profile's range with its memory budget, where that is all but spent. */
export function askableRange(
  [least, most]: readonly [least: number, most: number],
  { memoryBudget }: ProfileData,
): readonly [least: number, most: number] {
  return [least, memoryBudget > most && memoryBudget - most < UNSPENT ? memoryBudget : most]
}

/** Whether a profile can be asked for a target: one of its own if it is of kind `fixed`, else any within its range. */
export function hasTarget(data: ProfileData, targetBits: number, linears: readonly SizedLinear[]): boolean {
  const { policy } = data
  if (policy.kind === 'fixed') return policy.targets.some(nearTarget(targetBits))
  const [least, most] = targetRange(data, linears)
  return targetBits >= least - ROUNDING && targetBits <= most + ROUNDING
}

/** Whether a target is this one. */
export function nearTarget(targetBits: number): (target: { readonly targetBits: number }) => boolean {
  return (target) => Math.abs(target.targetBits - targetBits) < ROUNDING
}
