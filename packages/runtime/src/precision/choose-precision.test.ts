import { InvalidArgumentError, THRESHOLDS } from '@dpllm/core'
import { expect, test } from 'vitest'
import type { Profile } from '../profile/profile.js'
import { choosePrecision, type PrecisionContext } from './choose-precision.js'
import { budgetProfile, linearInfo, staticProfile, thresholdProfile } from './testing/example-profiles.js'

const matrix = { dtype: 'f32' as const, shape: [1, 4], data: Float32Array.of(1, 0, 0, 0) }
const profile: Profile = {
  name: 'dp-llm-5',
  tensors: new Map([['b.3-4.projection', matrix]]),
  data: {
    format: 2,
    method: 'dp-llm',
    memoryBudget: 5,
    maxBits: { a: 5, b: 5, c: 5, d: 5 },
    policy: {
      kind: 'fixed',
      selectInputs: 'own',
      targets: [
        {
          targetBits: 3.5,
          measuredBits: 3.5,
          linears: {
            a: { low: 3, high: 4, threshold: 2, estimator: { kind: 'linear', slope: 0.5, intercept: -1 } },
            b: { low: 3, high: 4, threshold: 3 },
            c: { low: 4, high: 5, threshold: 4, estimator: { kind: 'exact' } },
            d: { low: 4, high: 4, threshold: null, estimator: { kind: 'linear', slope: 1, intercept: 0 } },
          },
        },
      ],
    },
    provenance: {},
  },
}
const linears = ['a', 'b', 'c', 'd'].map((module) => linearInfo(module))
const context: PrecisionContext = { linears, profile }
const loaded = (...maxBits: number[]) => ({ ...context, linears: linears.map((l, i) => ({ ...l, maxBits: maxBits[i] })) })

test('a fixed target becomes its thresholds, with an estimator for every linear; prompts read everything', () => {
  const { policy, prefillPolicy, adapt } = choosePrecision({ targetBits: 3.5 }, context)
  expect([prefillPolicy, adapt]).toEqual([undefined, undefined])
  const [inf, low] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  expect([...policy!.thresholds.subarray(0, THRESHOLDS)]).toEqual([2, inf, inf, inf, inf])
  expect([...policy!.thresholds.subarray(2 * THRESHOLDS)]).toEqual([low, 4, inf, inf, inf, low, inf, inf, inf, inf])
  expect(policy!.estimators).toEqual([
    { kind: 'linear', slope: 0.5, intercept: -1 },
    { kind: 'projection', matrix },
    { kind: 'exact', low: 4, high: 5 },
    { kind: 'none' },
  ])
})

test('whole numbers need no profile', () => {
  const { policy, prefillPolicy } = choosePrecision({ targetBits: 4 }, { ...context, profile: undefined })
  expect(prefillPolicy).toBe(policy)
  expect(policy!.thresholds.subarray(0, THRESHOLDS).filter((t) => t === Number.NEGATIVE_INFINITY)).toHaveLength(1)
  expect(choosePrecision({ precision: 3 }, context).policy!.estimators).toHaveLength(4)
  expect(choosePrecision({}, context)).toEqual({ policy: undefined, prefillPolicy: undefined })
})

test('what cannot be had is said', () => {
  expect(() => choosePrecision({ targetBits: 3.7 }, context)).toThrow(/3\.5/)
  expect(() => choosePrecision({ targetBits: 3.5 }, { ...context, profile: undefined })).toThrow(/calibrate/)
  expect(() => choosePrecision({ precision: 6 }, context)).toThrow(InvalidArgumentError)
  expect(() => choosePrecision({ precision: 2 }, context)).toThrow(/3 to 5/)
  expect(() => choosePrecision({ precision: 'dynamic' }, context)).toThrow(/targetBits/)
  expect(() => choosePrecision({ precision: 4 }, { ...context, linears: [] })).toThrow(/quantize/)
})

test('a target is not answered at fewer bits than it reads', () => {
  expect(() => choosePrecision({ targetBits: 3.5 }, loaded(3, 5, 5, 5))).toThrow(InvalidArgumentError)
  expect(() => choosePrecision({ targetBits: 3.5 }, loaded(5, 5, 5, 3))).toThrow(
    /3 to 3 bits, which are loaded of d .*3\.5, which reads 4 to 4/,
  )
  expect(() => choosePrecision({ targetBits: 3.5 }, loaded(4, 4, 5, 4))).not.toThrow()
})

test('a fixed precision is one that every linear has', () => {
  const mixed = loaded(6, 4, 5, 5)
  expect(() => choosePrecision({ precision: 5 }, mixed)).toThrow(/3 to 4/)
  expect(() => choosePrecision({ targetBits: 4, precision: 'static' }, mixed)).not.toThrow()
})

test('an adaptive profile serves every target of its range, whole ones too, each request with thresholds of its own', () => {
  for (const adaptive of [thresholdProfile(linears), budgetProfile(linears)]) {
    const { policy, prefillPolicy, adapt } = choosePrecision({ targetBits: 4 }, { linears, profile: adaptive })
    expect(prefillPolicy).toBeUndefined()
    const [one, two] = [adapt!(), adapt!()]
    for (const own of [one, two]) {
      expect(own.policy).toEqual(policy)
      expect(own.policy.estimators).toBe(policy!.estimators)
    }
    one.retarget(4.5)
    expect(one.policy.thresholds).not.toEqual(policy!.thresholds)
    expect(two.policy.thresholds).toEqual(policy!.thresholds)
  }
  // Below the prices of the budget's profile, a whole number is uniform.
  const { policy, adapt } = choosePrecision({ targetBits: 3 }, { linears, profile: budgetProfile(linears) })
  expect([adapt, policy!.estimators[0]]).toEqual([undefined, { kind: 'none' }])
})

test('a static profile gives its allocation not above the request, for prompts too', () => {
  const found = (targetBits: number, precision?: 'static') => {
    const { policy, prefillPolicy } = choosePrecision({ targetBits, precision }, { linears, profile: staticProfile(linears) })
    expect(prefillPolicy).toBe(policy)
    const steps = Array.from(policy!.thresholds, (t) => (t === Number.NEGATIVE_INFINITY ? 1 : 0))
    return linears.map((_, i) => 3 + steps.slice(i * THRESHOLDS, (i + 1) * THRESHOLDS).reduce((a: number, b) => a + b, 0))
  }
  expect(found(3.25)).toEqual([3, 3, 3, 4])
  expect(found(4.49)).toEqual([3, 3, 3, 4])
  expect(found(4, 'static')).toEqual([3, 3, 3, 4])
  expect(found(4.5)).toEqual([4, 4, 4, 5])
  // The rounding of a target that was computed.
  expect(found(4.5 - 1e-10)).toEqual([4, 4, 4, 5])
  expect(() => found(3.1)).toThrow(/at least 3\.25/)
  const dynamic = () => choosePrecision({ targetBits: 3.5, precision: 'dynamic' }, { linears, profile: staticProfile(linears) })
  expect(dynamic).toThrow(/precision: expected static/)
})

test('a method is the one that made the profile, or uniform', () => {
  const budget = { linears, profile: budgetProfile(linears) }
  const ask = (method: string, targetBits: number | undefined, precision?: 'dynamic' | 'static' | number) =>
    choosePrecision({ method, targetBits, precision }, budget)
  expect(ask('budget', 4).adapt).toBeDefined()
  expect(ask('budget', 4, 'dynamic').adapt).toBeDefined()
  expect(ask('uniform', 4).adapt).toBeUndefined()
  expect(ask('uniform', undefined, 4).policy).toEqual(ask('uniform', 4).policy)
  expect(() => ask('uniform', 3.5)).toThrow(/a whole number from 3 to 5/)
  expect(() => ask('uniform', 4, 'dynamic')).toThrow(/method: expected another one/)
  expect(() => ask('dp-llm', 3.5)).toThrow(/method: expected uniform or budget/)
  expect(() => ask('budget', 3)).toThrow(/3\.25 to 4\.75/)
  expect(() => ask('budget', undefined)).toThrow(/targetBits.*method is budget/)
  expect(() => ask('budget', undefined, 4)).toThrow(/method: expected uniform, since precision is 4/)
  expect(() => ask('budget', 4, 'static')).toThrow(/precision: expected dynamic/)
  expect(() => choosePrecision({ method: 'budget', targetBits: 4 }, { linears, profile: undefined })).toThrow(
    /method budget \(run/,
  )
})

test('a profile made for other select inputs than those of the program is refused', () => {
  const budget = { linears, profile: budgetProfile(linears) }
  const wanted = /selectInputs: expected residual/
  expect(() => choosePrecision({ targetBits: 3.5 }, { ...budget, selectInputs: 'own' })).toThrow(wanted)
  expect(() => choosePrecision({ targetBits: 3.5 }, { ...budget, selectInputs: 'residual' })).not.toThrow()
  const fixed = { linears, profile: staticProfile(linears), selectInputs: 'asynchronous' as const }
  expect(() => choosePrecision({ targetBits: 3.5 }, fixed)).not.toThrow()
})
