import { createRandom } from '@dpllm/core'
import { meanBits } from '@dpllm/runtime'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createIlpSolver } from '../testing/solve-with-highs.js'
import { type AverageBudget, allocateBits, type CostedLinear, capBits } from './allocate-bits.js'
import { InfeasibleAllocationError } from './infeasible.js'

const solveIlp = await createIlpSolver()

/** Costs that fall to about a quarter with every bit, as squared errors do, or that are anything. */
function linearsOf(sizes: readonly number[], shape: 'errors' | 'any', seed: number): CostedLinear[] {
  const random = createRandom(seed)
  return sizes.map((weights) => {
    const scale = weights * Math.exp(2 * random.normal())
    const costs = [3, 4, 5, 6].map((b) => (shape === 'errors' ? 4 ** -b * (1 + random.uniform()) : random.normal()) * scale)
    return { weights, minBits: 3, costs }
  })
}

/** The linears of Llama-3-8B: 32 blocks of q, k, v, o, gate, up, down. */
const llama = Array.from({ length: 32 }, () => [4096, 1024, 1024, 4096, 14336, 14336, 14336].map((rows) => rows * 4096)).flat()

describe('bits for an average', () => {
  test('are the best of all combinations', () => {
    const linear = fc
      .record({
        weights: fc.constantFrom(96, 288, 288, 768, 101),
        minBits: fc.constantFrom(2, 3),
        costs: fc.array(fc.integer({ min: -9, max: 99 }), { minLength: 1, maxLength: 4 }),
      })
      .map((l): CostedLinear => l)
    const budget = fc.record({
      targetBits: fc.double({ min: 1.9, max: 7, noNaN: true }),
      leastBits: fc.oneof(fc.constant(undefined), fc.double({ min: 1.9, max: 7, noNaN: true })),
    })
    fc.assert(
      fc.property(fc.array(linear, { minLength: 1, maxLength: 6 }), budget, (linears, { targetBits, leastBits }) => {
        const wanted = bruteForce(linears, { targetBits, leastBits })
        if (wanted === undefined) {
          expect(() => allocateBits(linears, { targetBits, leastBits })).toThrow(InfeasibleAllocationError)
        } else {
          const { bits, cost, averageBits: average } = allocateBits(linears, { targetBits, leastBits })
          expect([cost, average]).toEqual([wanted.cost, meanBits(linears, bits)])
          expect(average).toBe(wanted.average)
          expect(bits.every((b, i) => linears[i].costs[b - linears[i].minBits] !== undefined)).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['errors', { targetBits: 3.25 }],
    ['errors', { targetBits: 3.5 }],
    ['any', { targetBits: 3.5 }],
    ['any', { targetBits: 5.5, leastBits: 5.495 }],
  ] as const)('of Llama-3-8B are proven best, and as good as an integer linear program’s: %s, %o', (shape, budget) => {
    const linears = linearsOf(llama, shape, 7)
    const found = allocateBits(linears, budget)
    expect(found.gap).toBe(0)
    expect(found.averageBits).toBeLessThanOrEqual(budget.targetBits)
    expect(allocateBits(linears, budget)).toEqual(found)

    const unit = 2 ** 22
    const total = llama.reduce((sum, weights) => sum + weights, 0) / unit
    const scale = Math.max(...linears.flatMap(({ costs }) => Array.from(costs, Math.abs)))
    const groups = linears.map(({ weights, costs }) => ({
      weights: Array.from(costs, (_, j) => ((3 + j) * weights) / unit),
      costs: Array.from(costs, (cost) => cost / scale),
    }))
    const least = 'leastBits' in budget ? Math.ceil(budget.leastBits * total) : 0
    const wanted = solveIlp(groups, { capacity: Math.floor(budget.targetBits * total), least })
    // HiGHS's own tolerances: 1e-6 of integral and feasible.
    expect(found.cost / scale / wanted!).toBeCloseTo(1, 6)
  })

  test('of sizes without a common divisor are proven best too', () => {
    const random = createRandom(3)
    const odd = llama.map((weights) => weights + Math.floor(1000 * random.uniform()))
    for (const shape of ['errors', 'any'] as const) {
      const linears = linearsOf(odd, shape, 5)
      const { gap, averageBits: average } = allocateBits(linears, { targetBits: 4.25, leastBits: 4.245 })
      expect([gap, average >= 4.245, average <= 4.25]).toEqual([0, true, true])
    }
  })

  test('cost less the larger the budget, and use it up where every bit helps', () => {
    const linears = linearsOf(llama, 'errors', 11)
    let before = Number.POSITIVE_INFINITY
    for (let targetBits = 3; targetBits <= 6; targetBits += 0.25) {
      const { cost, averageBits: average } = allocateBits(linears, { targetBits })
      expect(cost).toBeLessThan(before)
      expect(average).toBeGreaterThan(targetBits - 1 / 1664)
      before = cost
    }
  })

  test('do not depend on the order of the linears', () => {
    const linears = linearsOf(llama.slice(0, 21), 'errors', 2)
    const forth = allocateBits(linears, { targetBits: 4.4 })
    const back = allocateBits(linears.toReversed(), { targetBits: 4.4 })
    expect(back.bits.toReversed()).toEqual(forth.bits)
  })

  test('reach a target that rounding puts a little below', () => {
    const linears = Array.from({ length: 100 }, () => ({ weights: 7, minBits: 3, costs: [4, 2, 1, 0] }))
    const rounded = Array.from({ length: 300 }, (_, i) => 300 + i).filter((sum) => (sum / 100) * 100 < sum)
    expect(rounded.length).toBeGreaterThan(0)
    for (const sum of rounded) {
      const { bits } = allocateBits(linears, { targetBits: sum / 100 })
      expect(bits.reduce((a, b) => a + b)).toBe(sum)
    }
  })

  test('a worked example', () => {
    // Two linears, one twice as large. 4 bits on average are 12 in units of the smaller: (6, 3), (4, 4) or less.
    const linears = [
      { weights: 100, minBits: 3, costs: [40, 10, 4, 1] },
      { weights: 200, minBits: 3, costs: [50, 20, 9, 3] },
    ]
    expect(allocateBits(linears, { targetBits: 4 })).toEqual({ bits: [4, 4], averageBits: 4, cost: 30, gap: 0 })
    expect(allocateBits(linears, { targetBits: 3.9 })).toEqual({ bits: [5, 3], averageBits: 11 / 3, cost: 54, gap: 0 })
    expect(allocateBits(capBits(linears, [4, 6]), { targetBits: 5 })).toMatchObject({ bits: [4, 5], cost: 19 })
    expect(allocateBits(linears, { targetBits: 9 })).toMatchObject({ bits: [6, 6] })
  })
})

test('what cannot be is refused, with what can', () => {
  const linears = [
    { weights: 10, minBits: 3, costs: [1, 0] },
    { weights: 30, minBits: 2, costs: [1, 0] },
  ]
  const refused = (budget: AverageBudget) => {
    try {
      allocateBits(linears, budget)
    } catch (error) {
      return error
    }
  }
  expect(refused({ targetBits: 2.2 })).toMatchObject({ code: 'ERR_DPLLM_INFEASIBLE', least: 2.25, most: 3.25 })
  expect(String(refused({ targetBits: 2.2 }))).toMatch(/an average of 2.2 bits; from 2.25 to 3.25 bits are possible/)
  expect(String(refused({ targetBits: 2.4, leastBits: 2.3 }))).toMatch(/an average of 2.3 to 2.4 bits/)
  expect(refused({ targetBits: 2.5, leastBits: 2.5 })).toBeUndefined()
  expect(String(refused({ targetBits: Number.NaN }))).toMatch(/targetBits: expected an average of bits, found NaN/)
  expect(() => allocateBits([], { targetBits: 3 })).toThrow(/linears: expected at least one/)
  expect(() => allocateBits([{ weights: 0, minBits: 3, costs: [1] }], { targetBits: 3 })).toThrow(/linears\[0\]\.weights/)
  expect(() => allocateBits([{ weights: 1, minBits: -1, costs: [1] }], { targetBits: 3 })).toThrow(/linears\[0\]\.minBits/)
  expect(() => capBits(linears, [3, 1])).toThrow(/maxBits\[1\]: expected at least 2/)
})

function bruteForce(linears: readonly CostedLinear[], { targetBits, leastBits = 0 }: AverageBudget) {
  let choices: number[][] = [[]]
  for (const { minBits, costs } of linears)
    choices = choices.flatMap((bits) => Array.from(costs, (_, j) => [...bits, minBits + j]))
  const cost = (bits: number[]) => bits.reduce((sum, b, i) => sum + linears[i].costs[b - linears[i].minBits], 0)
  return choices
    .map((bits) => ({ cost: cost(bits), average: meanBits(linears, bits) }))
    .filter(({ average }) => average <= targetBits && average >= leastBits)
    .sort((a, b) => a.cost - b.cost || a.average - b.average)[0]
}
