import { createRandom } from '@dpllm/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allocateBits, type CostedLinear, findAllocation } from './allocate-bits.js'
import { hitTarget, nearestAverages } from './hit-target.js'
import { InfeasibleAllocationError } from './infeasible.js'
import { chooseMaxBits } from './max-bits.js'

/** Costs of an inner product of a gradient with errors: about half of them rise with a bit. */
function signless(sizes: readonly number[], seed: number): CostedLinear[] {
  const random = createRandom(seed)
  return sizes.map((weights) => ({ weights, minBits: 3, costs: [8, 4, 2, 1].map((s) => Math.abs(s * random.normal())) }))
}

/** Blocks of stories15M: six linears of 288 · 288 would be four, and three of 768 · 288. */
const stories = Array.from({ length: 6 }, () => [288, 288, 288, 288, 768, 768, 768].map((rows) => rows * 288)).flat()

describe('a target', () => {
  test('is hit within 0.005 bits where costs do not fall with every bit', () => {
    let raised = 0
    for (let seed = 0; seed < 4; seed++) {
      const linears = signless(stories, seed)
      for (let targetBits = 3.25; targetBits <= 5.75; targetBits += 0.25) {
        const found = hitTarget(linears, { targetBits })
        expect(found.hit).toBe(true)
        expect(found.averageBits).toBeLessThanOrEqual(targetBits)
        expect(found.averageBits).toBeGreaterThanOrEqual(targetBits - 0.005 - 1e-9)
        if (found.leastBits > 0) raised++
        // The lower bound is what made it, and no better solution has it.
        expect(findAllocation(linears, { targetBits, leastBits: found.leastBits })!.cost).toBe(found.cost)
      }
    }
    expect(raised).toBeGreaterThan(5)
  })

  test('is hit by the solution of the published loop, which tries every lower bound', () => {
    for (let seed = 0; seed < 3; seed++) {
      const linears = signless(stories.slice(0, 21), 100 + seed)
      for (const targetBits of [3.5, 4, 4.75]) {
        let published = allocateBits(linears, { targetBits })
        for (let step = 0; targetBits - published.averageBits > 0.005 + 1e-9; step++) {
          const next = findAllocation(linears, { targetBits, leastBits: step / 100 })
          if (next === undefined) break
          published = next
        }
        expect(hitTarget(linears, { targetBits })).toMatchObject({ bits: published.bits, cost: published.cost })
      }
    }
  })

  test('that sizes do not allow gets the nearest below, and says so', () => {
    const linears = signless([300, 500, 700], 1)
    // Averages are 3 + (3a + 5b + 7c) / 15: 3.8 is one, 3.85 is not.
    expect(hitTarget(linears, { targetBits: 3.8 })).toMatchObject({ averageBits: 3.8, hit: true })
    expect(hitTarget(linears, { targetBits: 3.85 })).toMatchObject({ averageBits: 3.8, hit: false })
    expect(hitTarget(linears, { targetBits: 3.85, tolerance: 0.05 })).toMatchObject({ averageBits: 3.8, hit: true })
    expect(nearestAverages(linears, 3.85)).toEqual({ below: 3.8, above: 3 + 13 / 15 })
    expect(nearestAverages(linears, 3.8)).toEqual({ below: 3.8, above: 3.8 })
    expect(nearestAverages(linears, 2.9)).toEqual({ below: undefined, above: 3 })
    expect(nearestAverages(linears, 6.1)).toEqual({ below: 6, above: undefined })
    expect(hitTarget(linears, { targetBits: 6.1 })).toMatchObject({ bits: [6, 6, 6], hit: false })
    expect(() => hitTarget(linears, { targetBits: 2.9 })).toThrow(InfeasibleAllocationError)
  })

  test('has the nearest averages of all combinations on its sides', () => {
    const linear = fc.record({
      weights: fc.integer({ min: 1, max: 40 }),
      minBits: fc.constant(3),
      costs: fc.constantFrom([0], [0, 0], [0, 0, 0]),
    })
    fc.assert(
      fc.property(fc.array(linear, { minLength: 1, maxLength: 5 }), fc.integer({ min: 30, max: 50 }), (linears, tenths) => {
        const target = tenths / 10
        let sums = [0]
        for (const { weights, costs } of linears) sums = sums.flatMap((sum) => costs.map((_, j) => sum + (3 + j) * weights))
        const total = linears.reduce((sum, { weights }) => sum + weights, 0)
        const averages = sums.map((sum) => sum / total).sort((a, b) => a - b)
        expect(nearestAverages(linears, target)).toEqual({
          below: averages.findLast((average) => average <= target + 1e-12),
          above: averages.find((average) => average >= target - 1e-12),
        })
      }),
    )
  })

  test('is hit whatever the tolerance and the grid of lower bounds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3000, max: 6000 }),
        fc.integer({ min: 2, max: 20 }),
        fc.nat(50),
        (target, tolerance, seed) => {
          // 1000 weights of one bit each: every thousandth of a bit can be had, but costs nothing only at 3 bits.
          const linears = signless([1, 2, 4, 8, 16, 32, 64, 128, 256, 489], seed)
          const found = hitTarget(linears, { targetBits: target / 1000, tolerance: tolerance / 1000 })
          expect(found.hit).toBe(true)
          expect(target / 1000 - found.averageBits).toBeLessThan(tolerance / 1000 + 1e-8)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('the most bits', () => {
  const errors = (sizes: readonly number[]): CostedLinear[] => {
    const random = createRandom(4)
    return sizes.map((weights) => {
      const scale = weights * Math.exp(2 * random.normal())
      return { weights, minBits: 3, costs: [3, 4, 5, 6].map((b) => scale * 4 ** -b) }
    })
  }

  test('average the memory budget within 0.01 bits, at the least cost', () => {
    for (const budget of [4, 4.5, 5]) {
      const found = chooseMaxBits(errors(stories), budget)
      expect(found).toMatchObject({ hit: true, gap: 0, cost: allocateBits(errors(stories), { targetBits: budget }).cost })
      expect(budget - found.averageBits).toBeGreaterThanOrEqual(0)
      expect(budget - found.averageBits).toBeLessThanOrEqual(0.01)
    }
  })

  test('are all bits under a budget that holds them, even of linears that nothing is known to depend on', () => {
    const linears = [...errors([100, 200]), { weights: 300, minBits: 3, costs: [0, 0, 0, 0] }]
    expect(chooseMaxBits(linears, 6)).toMatchObject({ bits: [6, 6, 6], averageBits: 6, hit: true })
    expect(chooseMaxBits(linears, 8)).toMatchObject({ bits: [6, 6, 6] })
    expect(chooseMaxBits(linears, 3)).toMatchObject({ bits: [3, 3, 3], averageBits: 3, hit: true })
    expect(() => chooseMaxBits(linears, 2.99)).toThrow(InfeasibleAllocationError)
  })
})
