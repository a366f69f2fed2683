import { decideBits, MIN_BITS, THRESHOLDS } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BudgetLinear, fillPrices, priceThresholds } from './budget.js'

const infinite = Number.POSITIVE_INFINITY
const probe = { kind: 'probe', weights: { dtype: 'f32', shape: [1], data: new Float32Array(1) }, bias: 0 } as const

function linear(weights: number, minBits: number, errors: readonly number[]): BudgetLinear {
  return { name: 'q_proj', weights, minBits, errors: Float64Array.from(errors), probe }
}

function prices(linears: readonly BudgetLinear[], logPrice: number): Float32Array {
  const out = new Float32Array(linears.length * THRESHOLDS)
  fillPrices(out, priceThresholds(linears), logPrice)
  return out
}

/** s · error + price · weights · bits, of bits above the fewest. */
function cost({ weights, minBits, errors }: BudgetLinear, logPrice: number, e: number, bits: number): number {
  return Math.exp(e) * errors[bits - minBits] + Math.exp(logPrice) * weights * (bits - minBits)
}

/** Evenly between integers; fc.double is even in its exponents. */
const between = (min: number, max: number) => fc.integer({ min: 4096 * min, max: 4096 * max }).map((value) => value / 4096)
const logarithmic = between(-14, 7).map(Math.exp)
/** Any table: descending or not, with equal neighbours, zeros, one entry. */
const errors = fc.oneof(
  fc.array(fc.oneof(logarithmic, fc.constantFrom(0, 1e-3, 1)), { minLength: 1, maxLength: 6, size: 'max' }),
  fc.array(logarithmic, { minLength: 1, maxLength: 6, size: 'max' }).map((table) => table.sort((a, b) => b - a)),
)
const linears = fc
  .tuple(errors, fc.integer({ min: 1, max: 2 ** 30 }), fc.nat({ max: 5 }))
  .map(([table, weights, more]) => linear(weights, MIN_BITS + Math.min(more, 6 - table.length), table))
const estimate = between(-30, 30)
/** log(price · weights / sensitivity): among the logarithms of the drops, where thresholds are. */
const near = between(-15, 8)

test('the bits of every linear are those of lowest cost, by trying them all', () => {
  const chosen = new Set<number>()
  fc.assert(
    fc.property(fc.array(linears, { minLength: 1, maxLength: 3 }), near, estimate, (all, offset, e) => {
      const logPrice = e - Math.log(all[0].weights) + offset
      const thresholds = prices(all, logPrice)
      all.forEach((one, i) => {
        const { minBits, errors } = one
        // Seed and most bits of the weight do not take part: the thresholds alone keep within the table.
        const bits = decideBits(e, thresholds, i * THRESHOLDS, 1, 99)
        expect(bits).toBeGreaterThanOrEqual(minBits)
        expect(bits).toBeLessThan(minBits + errors.length)
        const lowest = Math.min(...Array.from(errors, (_, j) => cost(one, logPrice, e, minBits + j)))
        // A threshold T is rounded to f32: e is off by |T| 2^-24, s by that part; two of the roundings of the costs besides.
        const slack = 1 + (Math.abs(e) + 2) * 2 ** -23
        expect(cost(one, logPrice, e, bits)).toBeLessThanOrEqual(lowest * slack)
        chosen.add(bits - minBits)
      })
    }),
    { numRuns: 3000 },
  )
  // The test has seen choices of all kinds.
  expect([...chosen].sort()).toEqual([0, 1, 2, 3, 4, 5])
})

test('a higher price never gives more bits, and moves all finite thresholds alike', () => {
  fc.assert(
    fc.property(linears, near, between(0, 9), estimate, (one, offset, more, e) => {
      const logPrice = e - Math.log(one.weights) + offset
      const [low, high] = [prices([one], logPrice), prices([one], logPrice + more)]
      expect(decideBits(e, high, 0, 1, 99)).toBeLessThanOrEqual(decideBits(e, low, 0, 1, 99))
      low.forEach((threshold, j) => {
        if (Number.isFinite(threshold)) expect(high[j]).toBeCloseTo(threshold + more, 4)
        else expect(high[j]).toBe(threshold)
      })
    }),
  )
})

test('a convex table: one threshold for each step', () => {
  // 3 to 6 bits, in tenths of exp(threshold): price · weights / drop.
  const found = prices([linear(100, 3, [8, 4, 2, 1.5])], Math.log(0.02))
  expect(Array.from(found, Math.exp)).toEqual([0.5, 1, 4, infinite, infinite].map((value) => expect.closeTo(value, 5)))
})

test('a table that starts above 3 bits: never fewer', () => {
  const found = prices([linear(100, 5, [2, 1])], Math.log(0.01))
  expect([...found]).toEqual([-infinite, -infinite, expect.closeTo(0, 6), infinite, infinite])
})

test('bit counts above the hull share the threshold of the step past them', () => {
  // From 4 to 6 bits: two bits for 3; 5 bits would cost as much and drop 0.5.
  const found = prices([linear(1, 3, [8, 4, 3.5, 1])], 0)
  const step = Math.log(2 / 3)
  expect([...found]).toEqual([Math.log(1 / 4), step, step, infinite, infinite].map((value) => expect.closeTo(value, 6)))
  expect(found[1]).toBe(found[2])
})

test('what gains nothing is never read', () => {
  expect([...prices([linear(1, 3, [1, 1, 1])], -50)]).toEqual(Array(THRESHOLDS).fill(infinite))
  // 4 bits are worse than 3, 5 better, 6 no better than 5.
  const found = prices([linear(1, 3, [1, 2, 0, 0])], 0)
  const step = expect.closeTo(Math.log(2), 6)
  expect([...found]).toEqual([step, step, infinite, infinite, infinite])
})

test('errors and prices of any size give thresholds', () => {
  const table = linear(2 ** 40, 3, [Number.MAX_VALUE, Number.MIN_VALUE])
  for (const logPrice of [-700, 0, 700]) expect(Number.isFinite(prices([table], logPrice)[0])).toBe(true)
})

test('a NaN estimate reads the most that are loaded', () => {
  expect(decideBits(Number.NaN, prices([linear(1, 3, [4, 2])], 0), 0, 3, 6)).toBe(6)
})

test('what is no table and no price is refused, before anything is written', () => {
  const good = linear(1, 3, [1, 0.5])
  const fill = (bad: BudgetLinear) => () => priceThresholds([good, bad])
  expect(fill({ ...good, weights: 0 })).toThrow(/q_proj.weights: expected a positive integer/)
  expect(fill({ ...good, weights: 1.5 })).toThrow(/weights/)
  expect(fill({ ...good, minBits: 2 })).toThrow(/q_proj.minBits/)
  expect(fill(linear(1, 3, []))).toThrow(/q_proj.errors: expected 1 to 6/)
  expect(fill(linear(1, 7, [3, 2, 1]))).toThrow(/expected 1 to 2, for 7 to at most 8 bits/)
  for (const wrong of [Number.NaN, infinite, -1]) expect(fill(linear(1, 3, [1, wrong]))).toThrow(/finite numbers that are not/)
  const out = new Float32Array(2 * THRESHOLDS).fill(7)
  expect(() => fillPrices(out, priceThresholds([good]), 0)).toThrow(/out: expected 5 elements/)
  for (const wrong of [Number.NaN, infinite])
    expect(() => fillPrices(out, priceThresholds([good, good]), wrong)).toThrow(/logPrice/)
  expect([...out]).toEqual(Array(2 * THRESHOLDS).fill(7))
})
