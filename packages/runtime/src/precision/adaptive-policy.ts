import { InvalidArgumentError, type Policy, UnsupportedError } from '@dpllm/core'
import type { LinearInfo } from '../model/linears.js'
import type { Profile } from '../profile/profile.js'
import { budgetSource } from './budget-policy.js'
import { askableRange, ROUNDING } from './targets.js'
import { thresholdSource } from './threshold-policy.js'

/** A policy that can move to another target between two tokens. */
export interface AdaptivePolicy {
  /** Its thresholds are its own; estimators are shared with other policies of the same profile wherever they are the same. */
  readonly policy: Policy
  /** The targets that it can be asked for. */
  readonly range: readonly [least: number, most: number]
  /**
   * Rewrites `policy.thresholds`, nothing else: a target beyond the range is taken for its nearer end. With a profile of kind
   * `threshold`, linears stay within the pairs of bit counts of the policy's first target, whose estimators it has.
   */
  retarget(targetBits: number): void
}

/** What makes the policies of a profile for the linears of a loaded model. */
export interface PolicySource {
  readonly range: readonly [least: number, most: number]
  /**
   * @param targetBits within the range
   * @throws InvalidArgumentError if the target reads more bits than are loaded
   */
  create(targetBits: number): AdaptivePolicy
}

const sources = new WeakMap<Profile, WeakMap<readonly LinearInfo[], PolicySource>>()

/**
 * The policy that a profile of kind `threshold` or `budget` gives for a target: to be used, and moved, by one request. What
 * the profile's policies share is made once for a profile and an array of linears. Its memory budget
 * can be asked for where it is all but spent.
 * @param linears of the program's select operators, in order
 * @throws InvalidArgumentError for a target out of the profile's range, or that reads more bits than are loaded;
 * UnsupportedError for a profile of another kind
 */
export function createAdaptivePolicy(profile: Profile, targetBits: number, linears: readonly LinearInfo[]): AdaptivePolicy {
  const source = policySource(profile, linears)
  const [least, most] = askableRange(source.range, profile.data)
  if (!(targetBits >= least - ROUNDING && targetBits <= most + ROUNDING)) {
    const wanted = `a number from ${round(least)} to ${round(most)}, what profile ${profile.name} can be asked for`
    throw new InvalidArgumentError('targetBits', wanted, targetBits)
  }
  return source.create(Math.min(targetBits, source.range[1]))
}

/** What is made once for a profile and an array of linears. */
function policySource(profile: Profile, linears: readonly LinearInfo[]): PolicySource {
  const known = sources.get(profile) ?? new WeakMap<readonly LinearInfo[], PolicySource>()
  sources.set(profile, known)
  const source = known.get(linears) ?? createSource(profile, linears)
  known.set(linears, source)
  return source
}

function createSource(profile: Profile, linears: readonly LinearInfo[]): PolicySource {
  const { policy } = profile.data
  if (policy.kind === 'threshold') return thresholdSource(profile, policy, linears)
  if (policy.kind === 'budget') return budgetSource(profile, policy, linears)
  throw new UnsupportedError(`profile ${profile.name} is of kind ${policy.kind}, which has fixed targets only`)
}

/** To three decimals, for messages. */
function round(bits: number): number {
  return Math.round(1000 * bits) / 1000
}
