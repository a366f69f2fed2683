import { createRandom } from '@dpllm/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createIlpSolver } from '../testing/solve-with-highs.js'
import { type KnapsackGroup, type KnapsackLimits, solveKnapsack } from './knapsack.js'

const solveIlp = await createIlpSolver()

/** The lowest cost of all combinations, and the lowest weight at that cost. */
function bruteForce(groups: readonly KnapsackGroup[], { capacity, least = 0 }: KnapsackLimits) {
  let sums = [{ weight: 0, cost: 0 }]
  for (const { weights, costs } of groups)
    sums = sums.flatMap(({ weight, cost }) => costs.map((c, j) => ({ weight: weight + weights[j], cost: cost + c })))
  const allowed = sums.filter(({ weight }) => weight <= capacity && weight >= least)
  return allowed.sort((a, b) => a.cost - b.cost || a.weight - b.weight)[0]
}

/** Costs with many ties, or with none; negative ones too. Multiples of 1/4, so that sums are exact in any order. */
const cost = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -4000, max: 4000 }).map((n) => n / 4),
)

const group = (most: number, choices = 4): fc.Arbitrary<KnapsackGroup> =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: most }), cost), { minLength: 1, maxLength: choices })
    .map((pairs) => ({ weights: pairs.map(([w]) => w), costs: pairs.map(([, c]) => c) }))

/** Groups and limits from below what is possible to above it. */
const instance = (most: number, count: number) =>
  fc.array(group(most), { minLength: 1, maxLength: count }).chain((groups) => {
    const heaviest = groups.reduce((sum, { weights }) => sum + Math.max(...weights), 0)
    return fc.record({
      groups: fc.constant(groups),
      capacity: fc.integer({ min: 0, max: heaviest + 2 }),
      least: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: heaviest + 1 })),
    })
  })

function check(groups: readonly KnapsackGroup[], limits: KnapsackLimits) {
  const found = solveKnapsack(groups, limits)
  if (found === undefined) return undefined
  const sum = (of: 'weights' | 'costs') => groups.reduce((total, g, i) => total + g[of][found.choices[i]], 0)
  expect(found.choices.length).toBe(groups.length)
  expect(found.weight).toBe(sum('weights'))
  expect(found.cost).toBe(sum('costs'))
  expect(found.weight).toBeLessThanOrEqual(limits.capacity)
  expect(found.weight).toBeGreaterThanOrEqual(limits.least ?? 0)
  return found
}

describe('the knapsack', () => {
  test.each([
    ['small weights', 8],
    ['weights without many common sums', 100000],
  ])('finds the least cost of all combinations, and of these the least weight: %s', (_, most) => {
    let feasible = 0
    let infeasible = 0
    fc.assert(
      fc.property(instance(most, 6), ({ groups, ...limits }) => {
        const best = bruteForce(groups, limits)
        const found = check(groups, limits)
        if (best === undefined) infeasible++
        else feasible++
        expect(found && { weight: found.weight, cost: found.cost, gap: found.gap }).toEqual(best && { ...best, gap: 0 })
      }),
      { numRuns: 500 },
    )
    expect(Math.min(feasible, infeasible)).toBeGreaterThan(20)
  })

  test('finds what an integer linear program does', () => {
    fc.assert(
      fc.property(instance(30, 40), ({ groups, ...limits }) => {
        const found = check(groups, limits)
        const wanted = solveIlp(groups, limits)
        if (wanted === undefined || found === undefined) expect([found, wanted]).toEqual([undefined, undefined])
        else {
          expect(found.gap).toBe(0)
          // HiGHS accepts what is within 1e-6 of integral.
          expect(Math.abs(found.cost - wanted)).toBeLessThan(1e-6 * (1 + Math.abs(wanted)) + 1e-4)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('never costs more with more room, or with a lower least weight', () => {
    fc.assert(
      fc.property(instance(20, 12), fc.nat(20), ({ groups, capacity, least }, more) => {
        const costs = [
          { capacity, least },
          { capacity: capacity + more, least },
          { capacity: capacity + more, least: Math.max(0, least - more) },
        ].map((limits) => solveKnapsack(groups, limits)?.cost ?? Number.POSITIVE_INFINITY)
        expect(costs[1]).toBeLessThanOrEqual(costs[0])
        expect(costs[2]).toBeLessThanOrEqual(costs[1])
      }),
    )
  })

  test('adding a number to all costs of a group changes nothing else', () => {
    fc.assert(
      fc.property(instance(20, 10), fc.integer({ min: -50, max: 50 }), ({ groups, ...limits }, more) => {
        const shifted = groups.map(({ weights, costs }, i) => ({ weights, costs: costs.map((c) => (i === 0 ? c + more : c)) }))
        const [a, b] = [solveKnapsack(groups, limits), solveKnapsack(shifted, limits)]
        expect(b).toEqual(a && { ...a, cost: a.cost + more })
      }),
    )
  })

  test('of one group, and of none', () => {
    const groups = [{ weights: [5, 3, 9], costs: [2, 7, 1] }]
    expect(solveKnapsack(groups, { capacity: 8 })).toEqual({ choices: [0], weight: 5, cost: 2, gap: 0 })
    expect(solveKnapsack(groups, { capacity: 4 })).toEqual({ choices: [1], weight: 3, cost: 7, gap: 0 })
    expect(solveKnapsack(groups, { capacity: 2 })).toBeUndefined()
    expect(solveKnapsack([], { capacity: 0 })).toEqual({ choices: [], weight: 0, cost: 0, gap: 0 })
  })

  test('refuses what is no weight or cost', () => {
    const refused = (weights: number[], costs: number[], message: RegExp) =>
      expect(() => solveKnapsack([{ weights, costs }], { capacity: 9 })).toThrow(message)
    refused([], [], /groups\[0\]: expected 1 to 256 costs/)
    refused([1, 2], [1], /and as many weights, found "1 and 2"/)
    refused([0.5], [1], /groups\[0\]\.weights: expected whole numbers/)
    refused([-1], [1], /groups\[0\]\.weights/)
    refused([2 ** 53], [1], /groups\[0\]\.weights/)
    refused([1], [Number.NaN], /groups\[0\]\.costs: expected finite numbers/)
    refused([1], [Number.POSITIVE_INFINITY], /groups\[0\]\.costs/)
  })
})

describe('where there are too many sums of weights', () => {
  /** 2^36 combinations of distinct weights, of which every one costs what it weighs: no bound excludes any. */
  const powers: KnapsackGroup[] = Array.from({ length: 36 }, (_, i) => ({ weights: [0, 2 ** i], costs: [0, -(2 ** i)] }))

  test('a solution that meets its bound is proven at once', () => {
    const capacity = 2 ** 35 + 12345
    expect(check(powers, { capacity })).toMatchObject({ cost: -capacity, gap: 0 })
  })

  /** Even weights cannot sum to an odd number, which no bound on sums tells. */
  const random = createRandom(1)
  const even = powers.map((): KnapsackGroup => {
    const weight = 2 * random.uint32()
    return { weights: [0, weight], costs: [0, -weight] }
  })
  const odd = 2 ** 36 + 54321

  test('the gap says how far the best may be away', () => {
    const found = check(even, { capacity: odd })!
    expect(found.gap).toBeGreaterThanOrEqual(1)
    expect(found.cost - found.gap).toBeLessThanOrEqual(-(odd - 1))
    expect(found.gap).toBeLessThan(1e-5 * odd)
  })

  test('that there is no solution may remain unproven, which is said', () => {
    expect(() => solveKnapsack(even, { capacity: odd, least: odd })).toThrow(
      /least: expected weights further apart from capacity/,
    )
  })
})
