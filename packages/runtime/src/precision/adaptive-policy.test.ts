import { decideBits, InvalidArgumentError, THRESHOLDS, UnsupportedError } from '@dpllm/core'
import { deserializeEstimators, fillPrices, fillThresholds, priceThresholds } from '@dpllm/estimators'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { probeName } from '../profile/profile.js'
import type { BudgetPolicyData, ThresholdPolicyData } from '../profile/schema.js'
import { createAdaptivePolicy } from './adaptive-policy.js'
import { logPriceAt } from './budget-policy.js'
import { budgetProfile, linearInfo, staticProfile, thresholdProfile } from './testing/example-profiles.js'
import { thresholdCurve } from './threshold-curve.js'

// The last has nothing to choose from.
const linears = [linearInfo('a', { rows: 8 }), linearInfo('b'), linearInfo('c', { maxBits: 4 }), linearInfo('d', { maxBits: 3 })]
const ascending = thresholdProfile(linears)

test('at a stored target, linears decide by their averages with its shift', () => {
  const { policy, range } = createAdaptivePolicy(ascending, 3.5, linears)
  const estimators = deserializeEstimators((ascending.data.policy as ThresholdPolicyData).estimators, ascending.tensors)
  const expected = new Float32Array(linears.length * THRESHOLDS)
  // a and c lie 0.25 above the target, b below; the shift is 0.01; d reads 3 bits.
  const decisions = fillThresholds(expected, estimators, [3.76, 3.26, 3.76, 3])
  expect(policy.thresholds).toEqual(expected)
  expect(policy.estimators).toEqual(decisions.map(({ pair }) => pair?.estimator ?? { kind: 'none' }))
  expect(range[0]).toBe(3)
  // All at their most bits: weights 32, 16, 16, 16.
  expect(range[1]).toBe((5 * 32 + 5 * 16 + 4 * 16 + 3 * 16) / 80)
})

test('any target of the range reads it on what was calibrated on: uniform estimates here', () => {
  // Quantiles are 0 … 1, so that an estimate's part of tokens is its own value.
  const tokens = Array.from({ length: 1000 }, (_, i) => (i + 0.5) / 1000)
  const curve = thresholdCurve(ascending.data.policy as ThresholdPolicyData, linears)
  fc.assert(
    fc.property(fc.double({ min: 3, max: curve.range[1], noNaN: true }), (target) => {
      const { policy } = createAdaptivePolicy(ascending, target, linears)
      const averages = curve.at(target)
      linears.forEach(({ minBits, maxBits }, i) => {
        const read = tokens.map((e) => decideBits(e, policy.thresholds, i * THRESHOLDS, minBits, maxBits))
        expect(Math.abs(read.reduce((a, b) => a + b) / 1000 - averages[i])).toBeLessThan(0.002)
      })
    }),
    { numRuns: 50 },
  )
})

test('moving within the first pairs is the same as asking for the target; estimators stay, and are shared', () => {
  const adaptive = createAdaptivePolicy(ascending, 3.5, linears)
  const { estimators, thresholds } = adaptive.policy
  const other = createAdaptivePolicy(ascending, 3.6, linears)
  expect(other.policy.estimators).toBe(estimators)
  expect(other.policy.thresholds).not.toBe(thresholds)
  const before = thresholds.slice()
  adaptive.retarget(3.6)
  expect(adaptive.policy.thresholds).toBe(thresholds)
  expect(thresholds).toEqual(other.policy.thresholds)
  expect(thresholds).not.toEqual(before)
  adaptive.retarget(3.5)
  expect(thresholds).toEqual(before)
})

test('moving beyond the first pairs stops at their ends', () => {
  const adaptive = createAdaptivePolicy(ascending, 3.5, linears)
  const bitsAt = (e: number) =>
    linears.map((l, i) => decideBits(e, adaptive.policy.thresholds, i * THRESHOLDS, l.minBits, l.maxBits))
  adaptive.retarget(5)
  expect([bitsAt(0), bitsAt(1)]).toEqual([
    [4, 4, 4, 3],
    [4, 4, 4, 3],
  ])
  adaptive.retarget(-1)
  expect([bitsAt(0), bitsAt(1)]).toEqual([
    [3, 3, 3, 3],
    [3, 3, 3, 3],
  ])
})

test('a memory budget that is all but spent can be asked for: all that is loaded is read', () => {
  const profile = budgetProfile(linears)
  const most = createAdaptivePolicy(profile, 3.5, linears).range[1]
  const withBudget = (memoryBudget: number) => ({ ...profile, data: { ...profile.data, memoryBudget } })
  const all = createAdaptivePolicy(profile, most, linears).policy.thresholds
  expect(createAdaptivePolicy(withBudget(most + 0.01), most + 0.01, linears).policy.thresholds).toEqual(all)
  expect(() => createAdaptivePolicy(withBudget(most + 0.01), most + 0.015, linears)).toThrow(InvalidArgumentError)
  expect(() => createAdaptivePolicy(withBudget(most + 0.1), most + 0.1, linears)).toThrow(InvalidArgumentError)
})

test('a price buys every linear what fillPrices says, and moves with the target', () => {
  const profile = budgetProfile(linears)
  const data = profile.data.policy as BudgetPolicyData
  const priced = linears.map(({ module, rows, cols, minBits }, i) => {
    const weights = profile.tensors.get(probeName(module))!
    const { errors, bias } = data.linears[i]
    const probe = { kind: 'probe' as const, weights, bias }
    return { name: module, weights: rows * cols, minBits, errors: Float64Array.from(errors), probe }
  })
  const adaptive = createAdaptivePolicy(profile, 3.25, linears)
  expect(adaptive.range).toEqual([3.25, 4.75])
  expect(adaptive.policy.estimators).toEqual([priced[0].probe, priced[1].probe, priced[2].probe, { kind: 'none' }])
  const expected = new Float32Array(linears.length * THRESHOLDS)
  for (const [target, logPrice] of [
    [3.25, 1],
    [3.625, 0],
    [4, -1],
    [4.5, -3],
    [4.75, -4],
    [9, -4],
    [0, 1],
  ]) {
    expect(logPriceAt(data.prices, target)).toBeCloseTo(logPrice, 12)
    fillPrices(expected, priceThresholds(priced), logPriceAt(data.prices, target))
    adaptive.retarget(target)
    expect(adaptive.policy.thresholds).toEqual(expected)
  }
  expect(createAdaptivePolicy(profile, 4, linears).policy.estimators).toBe(adaptive.policy.estimators)
})

test('targets out of the range, kinds without one, and bits that are not loaded are refused', () => {
  expect(() => createAdaptivePolicy(ascending, 2.9, linears)).toThrow(/a number from 3 to 4\.4, what profile dp-llm/)
  expect(() => createAdaptivePolicy(ascending, Number.NaN, linears)).toThrow(InvalidArgumentError)
  expect(() => createAdaptivePolicy(budgetProfile(linears), 3, linears)).toThrow(/3\.25 to 4\.75/)
  expect(() => createAdaptivePolicy(staticProfile(linears), 3.5, linears)).toThrow(UnsupportedError)
  const fewer = linears.map((linear) => ({ ...linear, maxBits: Math.min(linear.maxBits, 4) }))
  expect(() => createAdaptivePolicy(ascending, 3.5, fewer)).not.toThrow()
  expect(() => createAdaptivePolicy(ascending, 4.25, fewer)).toThrow(
    /3 to 4 bits, which are loaded of a .*4\.25, which reads 4 to 5/,
  )
  expect(() => createAdaptivePolicy(budgetProfile(linears), 3.5, fewer)).toThrow(/loaded of a/)
})
