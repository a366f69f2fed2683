import { expect, test } from 'vitest'
import { randomBitPlanes } from '../testing/index.js'
import { checkEstimators } from './check-policy.js'
import { decideBits, type Estimator, pairThresholds, staticPolicy, staticThresholds, THRESHOLDS } from './policy.js'
import { checkStep } from './step.js'

test('static thresholds give their bits whatever the estimate is', () => {
  for (let bits = 3; bits <= 8; bits++) {
    for (const e of [0, 1e30, -1, Number.POSITIVE_INFINITY]) expect(decideBits(e, staticThresholds(bits), 0, 3, 8)).toBe(bits)
  }
})

test('a pair decides by its threshold; NaN takes the higher; loaded bits limit', () => {
  const row = pairThresholds(4, 6, 2)
  expect(decideBits(2, row, 0, 3, 8)).toBe(4)
  expect(decideBits(2.1, row, 0, 3, 8)).toBe(6)
  expect(decideBits(Number.NaN, row, 0, 3, 8)).toBe(8)
  expect(decideBits(3, row, 0, 3, 5)).toBe(5)
  expect(decideBits(0, row, 0, 5, 8)).toBe(5)
})

test('a static policy has a row for each select operator', () => {
  const policy = staticPolicy([3, 8])
  expect(policy.thresholds).toHaveLength(2 * THRESHOLDS)
  expect(decideBits(0, policy.thresholds, THRESHOLDS, 3, 8)).toBe(8)
})

test('steps and estimators that do not fit are refused', () => {
  const cache = { capacity: 4, [Symbol.dispose]() {} }
  const step = { tokens: Uint32Array.of(1, 2), position: 0, cache }
  expect(checkStep(step, 10, 0)).toMatchObject({ outputs: ['logits'], rows: Uint32Array.of(1) })
  expect(() => checkStep({ ...step, position: 3 }, 10, 0)).toThrow(/at most 1/)
  expect(() => checkStep({ ...step, position: -1 }, 10, 0)).toThrow(/position/)
  expect(() => checkStep(step, 2, 0)).toThrow(/ids below 2/)
  expect(() => checkStep({ ...step, tokens: new Uint32Array(0) }, 10, 0)).toThrow(/at least one/)
  expect(() => checkStep({ ...step, rows: Uint32Array.of(2) }, 10, 0)).toThrow(/below 2/)
  expect(() => checkStep({ ...step, targets: new Uint32Array(2) }, 10, 0)).toThrow(/one for each/)
  expect(() => checkStep({ ...step, policy: staticPolicy([3]) }, 10, 2)).toThrow(/2 select/)
  expect(() => checkStep({ ...step, signal: AbortSignal.abort(new Error('enough')) }, 10, 0)).toThrow('enough')

  const weight = randomBitPlanes(1, 4, 40, 3, 6)
  const matrix = { dtype: 'f32' as const, shape: [2, 39], data: new Float32Array(78) }
  expect(() => checkEstimators([{ kind: 'projection', matrix }], [weight], [40])).toThrow(/\[k, 40\]/)
  expect(() => checkEstimators([{ kind: 'exact', low: 5, high: 7 }], [weight], [40])).toThrow(/high <= 6/)
  expect(() => checkEstimators([{ kind: 'linear', slope: Number.NaN, intercept: 0 }], [weight], [40])).toThrow(/finite in f32/)
  expect(() => checkEstimators([{ kind: 'linear', slope: 1, intercept: 1e39 }], [weight], [40])).toThrow(/finite in f32/)
  expect(() => checkEstimators([{ kind: 'linear', slope: -1, intercept: 0 }], [weight], [40])).not.toThrow()
  expect(() => checkEstimators([{ kind: 'exact', low: 5, high: 6 }, { kind: 'none' }], [weight, weight], [40, 7])).not.toThrow()
})

test('estimators fit what their select operators read, which need not be what the weight reads', () => {
  const weight = randomBitPlanes(1, 4, 40, 3, 6)
  const check = (estimator: Estimator, width: number) => () => checkEstimators([estimator], [weight], [width])
  const tensor = (...shape: number[]) => ({ dtype: 'f32' as const, shape, data: new Float32Array(24) })
  const probe = (shape: number[], bias = 0) => ({ kind: 'probe' as const, weights: tensor(...shape), bias })

  expect(check({ kind: 'projection', matrix: tensor(2, 12) }, 12)).not.toThrow()
  expect(check({ kind: 'linear', slope: 1, intercept: 0 }, 12)).not.toThrow()
  expect(check({ kind: 'exact', low: 3, high: 4 }, 12)).toThrow(/x \[T, 40\], as wide as the weight.*\[T, 12\]/)
  expect(check(probe([24]), 24)).not.toThrow()
  expect(check(probe([24]), 40)).toThrow(/weights \[40\].*\[24\] with 24 elements/)
  expect(check(probe([1, 24]), 24)).toThrow(/weights \[24\]/)
  expect(check(probe([40]), 40)).toThrow(/\[40\] with 24 elements/)
  for (const bias of [Number.NaN, 1e39]) expect(check(probe([24], bias), 24)).toThrow(/finite in f32/)
})
