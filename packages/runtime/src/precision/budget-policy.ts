import { type Estimator, InvalidArgumentError, THRESHOLDS } from '@dpllm/core'
import { type BudgetLinear, fillPrices, priceThresholds } from '@dpllm/estimators'
import { checkLoaded, type LinearInfo } from '../model/linears.js'
import { type Profile, probeName } from '../profile/profile.js'
import type { BudgetPolicyData } from '../profile/schema.js'
import type { AdaptivePolicy, PolicySource } from './adaptive-policy.js'
import { clamp } from './target-curve.js'

/** Policies of a profile of kind `budget`: one price per bit for all linears and tokens. */
export function budgetSource(profile: Profile, data: BudgetPolicyData, linears: readonly LinearInfo[]): PolicySource {
  const { prices } = data
  const range = [prices[0].targetBits, prices[prices.length - 1].targetBits] as const
  const byName = new Map(data.linears.map((linear) => [linear.name, linear]))
  const priced = linears.map(({ module, rows, cols }): BudgetLinear => {
    const found = byName.get(module)
    const weights = profile.tensors.get(probeName(module))
    if (found === undefined || weights === undefined)
      throw new InvalidArgumentError(`profile ${profile.name}`, `errors and a probe of ${module}`, undefined)
    const { name, minBits, errors, bias } = found
    return { name, weights: rows * cols, minBits, errors: Float64Array.from(errors), probe: { kind: 'probe', weights, bias } }
  })
  const atPriceOne = priceThresholds(priced)
  // Without a choice there is nothing to estimate.
  const estimators = priced.map(({ errors, probe }): Estimator => (errors.length > 1 ? probe : { kind: 'none' }))

  const create = (targetBits: number): AdaptivePolicy => {
    priced.forEach(({ minBits, errors }, i) => {
      checkLoaded(linears[i], minBits, minBits + errors.length - 1, targetBits)
    })
    const thresholds = new Float32Array(linears.length * THRESHOLDS)
    const retarget = (moved: number) => fillPrices(thresholds, atPriceOne, logPriceAt(prices, moved))
    retarget(targetBits)
    return { policy: { estimators, thresholds }, range, retarget }
  }
  return { range, create }
}

/** The logarithm of the price for a target: linear between those of the profile, and that of the nearer end beyond them. */
export function logPriceAt(prices: BudgetPolicyData['prices'], targetBits: number): number {
  const t = clamp(targetBits, prices[0].targetBits, prices[prices.length - 1].targetBits)
  const above = prices.findIndex((price) => price.targetBits >= t)
  const [from, to] = [prices[Math.max(above - 1, 0)], prices[above]]
  if (to.targetBits === t) return to.logPrice
  return from.logPrice + ((t - from.targetBits) / (to.targetBits - from.targetBits)) * (to.logPrice - from.logPrice)
}
