import { type Estimator, InvalidArgumentError, THRESHOLDS } from '@dpllm/core'
import { deserializeEstimators, fillThresholds, type LinearEstimators } from '@dpllm/estimators'
import { checkLoaded, type LinearInfo } from '../model/linears.js'
import type { Profile } from '../profile/profile.js'
import type { ThresholdPolicyData } from '../profile/schema.js'
import type { AdaptivePolicy, PolicySource } from './adaptive-policy.js'
import { remember } from './remember.js'
import { clamp } from './target-curve.js'
import { thresholdCurve } from './threshold-curve.js'

/** Different choices of pairs whose estimators are kept: each is a copy on the device for backends that have one. */
const KEPT_CHOICES = 64

/** What one target reads: of every linear the pair that holds its average, and only that. */
interface Choice {
  /** One object for equal choices, so that backends take it over once. */
  readonly estimators: readonly Estimator[]
  /** With one pair each; none where the average is at an end, and bits are fixed. */
  readonly linears: readonly LinearEstimators[]
  readonly least: ArrayLike<number>
  readonly most: ArrayLike<number>
}

/** Policies of a profile of kind `threshold`: DP-LLM's pairs and thresholds (§4, phase 3), for every target. */
export function thresholdSource(profile: Profile, data: ThresholdPolicyData, linears: readonly LinearInfo[]): PolicySource {
  const byName = new Map(
    deserializeEstimators(data.estimators, profile.tensors, `profile ${profile.name}`).map((linear) => [linear.name, linear]),
  )
  const ordered = linears.map(({ module }) => {
    const found = byName.get(module)
    if (found === undefined) throw new InvalidArgumentError(`profile ${profile.name}`, `estimators of ${module}`, undefined)
    return found
  })
  const curve = thresholdCurve(data, linears)
  const choices = new Map<string, Choice>()

  const create = (targetBits: number): AdaptivePolicy => {
    const first = curve.at(targetBits)
    const pairs = ordered.map((linear, i) => linear.pairs.findIndex(({ low, high }) => low < first[i] && first[i] < high))
    linears.forEach((linear, i) => {
      const pair = ordered[i].pairs[pairs[i]]
      checkLoaded(linear, pair?.low ?? first[i], pair?.high ?? first[i], targetBits)
    })
    const key = pairs.map((pair, i) => (pair < 0 ? `=${first[i]}` : pair)).join()
    const choice = remember(choices, key, KEPT_CHOICES, () => choose(ordered, pairs, first))
    const thresholds = new Float32Array(linears.length * THRESHOLDS)
    const fill = (averages: Float64Array) =>
      fillThresholds(
        thresholds,
        choice.linears,
        averages.map((p, i) => clamp(p, choice.least[i], choice.most[i])),
      )
    fill(first)
    return {
      policy: { estimators: choice.estimators, thresholds },
      range: curve.range,
      retarget: (moved) => {
        fill(curve.at(moved))
      },
    }
  }
  return { range: curve.range, create }
}

/** @param pairs index of each linear's pair; −1 where its average is at an end of one */
function choose(linears: readonly LinearEstimators[], pairs: readonly number[], averages: Float64Array): Choice {
  const chosen = linears.map((linear, i) => linear.pairs[pairs[i]])
  return {
    estimators: chosen.map((pair): Estimator => pair?.estimator ?? { kind: 'none' }),
    linears: linears.map((linear, i) => ({ ...linear, pairs: chosen[i] === undefined ? [] : [chosen[i]] })),
    least: chosen.map((pair, i) => pair?.low ?? averages[i]),
    most: chosen.map((pair, i) => pair?.high ?? averages[i]),
  }
}
