import { type Estimator, InvalidArgumentError, type Policy, pairThresholds, THRESHOLDS } from '@dpllm/core'
import type { LinearInfo } from '../model/linears.js'
import { type Profile, projectionName } from './profile.js'
import type { DecisionData, ProfileData, TargetData } from './schema.js'

/** The part of a profile for a target; undefined if it has none. */
export function findTarget({ targets }: ProfileData, targetBits: number): TargetData | undefined {
  return targets.find((target) => Math.abs(target.targetBits - targetBits) < 1e-9)
}

/** The same. @throws InvalidArgumentError naming the targets that there are */
export function profileTarget(profile: Profile, targetBits: number): TargetData {
  const target = findTarget(profile.data, targetBits)
  if (target === undefined) {
    const known = profile.data.targets.map((t) => t.targetBits).join(', ')
    throw new InvalidArgumentError(
      'targetBits',
      `a target of profile ${profile.name}: ${known} (dpllm calibrate makes profiles with others)`,
      targetBits,
    )
  }
  return target
}

/**
 * The policy that a profile gives for a target.
 * @param linears the linears of the program's select operators, in order
 * @throws InvalidArgumentError for a target that the profile does not have, or that reads more bits than are loaded
 */
export function profilePolicy(profile: Profile, targetBits: number, linears: readonly LinearInfo[]): Policy {
  const target = profileTarget(profile, targetBits)
  const thresholds = new Float32Array(linears.length * THRESHOLDS)
  const estimators = linears.map(({ module, minBits, maxBits }, i): Estimator => {
    const linear = target.linears[module]
    if (linear === undefined) throw new InvalidArgumentError(`profile ${profile.name}`, `a decision for ${module}`, undefined)
    const { low, high, threshold } = linear
    if (low < minBits || high > maxBits) {
      const wanted = `a target that reads ${minBits} to ${maxBits} bits, which are loaded of ${module} (load more with maxBits)`
      throw new InvalidArgumentError('targetBits', wanted, `${targetBits}, which reads ${low} to ${high}`)
    }
    thresholds.set(pairThresholds(low, high, threshold ?? Number.POSITIVE_INFINITY), i * THRESHOLDS)
    return estimatorOf(profile, module, linear)
  })
  return { estimators, thresholds }
}

function estimatorOf({ name, data, projections }: Profile, module: string, decision: DecisionData): Estimator {
  const { low, high, estimator = { kind: data.estimator } } = decision
  if (low === high) return { kind: 'none' }
  if (estimator.kind === 'linear') return { kind: 'linear', slope: estimator.slope, intercept: estimator.intercept }
  if (estimator.kind === 'exact') return { kind: 'exact', low, high }
  const matrix = projections.get(projectionName(module, low, high))
  if (matrix === undefined)
    throw new InvalidArgumentError(`profile ${name}`, `a matrix ${projectionName(module, low, high)}`, undefined)
  return { kind: 'projection', matrix }
}
