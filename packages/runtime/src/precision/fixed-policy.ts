import { type Estimator, InvalidArgumentError, type Policy, pairThresholds, THRESHOLDS } from '@dpllm/core'
import { checkLoaded, type LinearInfo } from '../model/linears.js'
import type { DecisionData } from '../profile/fixed-schema.js'
import { type Profile, projectionName } from '../profile/profile.js'
import type { FixedPolicyData } from '../profile/schema.js'
import { nearTarget } from './targets.js'

/**
 * The policy of a profile of kind `fixed` for one of its targets.
 * @param linears the linears of the program's select operators, in order
 * @throws InvalidArgumentError for a target that the profile does not have, or that reads more bits than are loaded
 */
export function fixedPolicy(profile: Profile, data: FixedPolicyData, targetBits: number, linears: readonly LinearInfo[]): Policy {
  const target = data.targets.find(nearTarget(targetBits))
  if (target === undefined) {
    const known = data.targets.map((t) => t.targetBits).join(', ')
    const wanted = `a target of profile ${profile.name}: ${known} (dpllm calibrate makes profiles with others)`
    throw new InvalidArgumentError('targetBits', wanted, targetBits)
  }
  const thresholds = new Float32Array(linears.length * THRESHOLDS)
  const estimators = linears.map((linear, i): Estimator => {
    const { module } = linear
    const decision = target.linears[module]
    if (decision === undefined) throw new InvalidArgumentError(`profile ${profile.name}`, `a decision for ${module}`, undefined)
    const { low, high, threshold } = decision
    checkLoaded(linear, low, high, targetBits)
    thresholds.set(pairThresholds(low, high, threshold ?? Number.POSITIVE_INFINITY), i * THRESHOLDS)
    return estimatorOf(profile, data, module, decision)
  })
  return { estimators, thresholds }
}

function estimatorOf({ name, tensors }: Profile, data: FixedPolicyData, module: string, decision: DecisionData): Estimator {
  const { low, high, estimator = { kind: data.estimator ?? 'projection' } } = decision
  if (low === high) return { kind: 'none' }
  if (estimator.kind === 'linear') return { kind: 'linear', slope: estimator.slope, intercept: estimator.intercept }
  if (estimator.kind === 'exact') return { kind: 'exact', low, high }
  const matrix = tensors.get(projectionName(module, low, high))
  if (matrix === undefined)
    throw new InvalidArgumentError(`profile ${name}`, `a matrix ${projectionName(module, low, high)}`, undefined)
  return { kind: 'projection', matrix }
}
