import { InvalidArgumentError, THRESHOLDS } from '@dpllm/core'
import { expect, test } from 'vitest'
import type { Profile } from '../profile/profile.js'
import { effectiveBits } from './linears.js'
import { choosePrecision, type PrecisionContext } from './precision.js'

const profile: Profile = {
  name: 'dp-llm-5',
  projections: new Map([['a.3-4.projection', { dtype: 'f32', shape: [1, 2], data: Float32Array.of(1, 0) }]]),
  data: {
    format: 1,
    method: 'dp-llm',
    memoryBudget: 5,
    maxBits: { a: 5, b: 5 },
    estimator: 'projection',
    targets: [
      {
        targetBits: 3.5,
        measuredBits: 3.5,
        linears: { a: { low: 3, high: 4, threshold: 2 }, b: { low: 4, high: 4, threshold: null } },
      },
    ],
    provenance: {},
  },
}
const linear = (module: string, maxBits: number) => ({ module, rows: 10, cols: 2, minBits: 3, maxBits })
const context: PrecisionContext = { linears: [linear('a', 5), linear('b', 5)], profile }

test('a target of the profile becomes its thresholds, and prompts read everything', () => {
  const { policy, prefillPolicy } = choosePrecision({ targetBits: 3.5 }, context)
  expect(prefillPolicy).toBeUndefined()
  const [inf, low] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  expect([...policy!.thresholds]).toEqual([2, inf, inf, inf, inf, low, inf, inf, inf, inf])
  expect(policy!.estimators.map((e) => e.kind)).toEqual(['projection', 'none'])
})

test('whole numbers need no profile', () => {
  const { policy, prefillPolicy } = choosePrecision({ targetBits: 4 }, { ...context, profile: undefined })
  expect(prefillPolicy).toBe(policy)
  expect(policy!.thresholds.subarray(0, THRESHOLDS).filter((t) => t === Number.NEGATIVE_INFINITY)).toHaveLength(1)
  expect(choosePrecision({ precision: 3 }, context).policy!.estimators).toHaveLength(2)
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
  const loaded = (a: number, b: number) => ({ ...context, linears: [linear('a', a), linear('b', b)] })
  expect(() => choosePrecision({ targetBits: 3.5 }, loaded(3, 5))).toThrow(InvalidArgumentError)
  expect(() => choosePrecision({ targetBits: 3.5 }, loaded(5, 3))).toThrow(
    /3 to 3 bits, which are loaded of b .*3\.5, which reads 4 to 4/,
  )
  expect(() => choosePrecision({ targetBits: 3.5 }, loaded(4, 4))).not.toThrow()
})

test('a fixed precision is one that every linear has', () => {
  const mixed = { ...context, linears: [linear('a', 6), linear('b', 4)] }
  expect(() => choosePrecision({ precision: 5 }, mixed)).toThrow(/3 to 4/)
  expect(() => choosePrecision({ targetBits: 4, precision: 'static' }, mixed)).not.toThrow()
})

test('effective bits are weighted by parameters and averaged over tokens', () => {
  const linear = { minBits: 3, maxBits: 8, module: 'm' }
  const linears = [
    { ...linear, rows: 10, cols: 10 },
    { ...linear, rows: 10, cols: 30 },
  ]
  expect(effectiveBits(linears, Uint8Array.of(3, 5, 4, 8), 2)).toBeCloseTo((4 * 100 + 6 * 300) / 400, 12)
})
