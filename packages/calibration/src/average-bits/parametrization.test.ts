import { createRandom } from '@dpllm/core'
import { meanBits } from '@dpllm/runtime'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { landOnTarget } from './landing.js'
import { meanBitsPenalty, objectiveGradient } from './objective.js'
import { type AveragedLinear, averageBitsOf, averageBitsSlopes } from './parametrization.js'
import { initialParameters } from './start.js'

const linears: AveragedLinear[] = [
  { weights: 100, minBits: 3, maxBits: 6 },
  { weights: 300, minBits: 3, maxBits: 4 },
  { weights: 50, minBits: 3, maxBits: 3 },
]

test('p by hand; a fixed linear reads its bits whatever z is', () => {
  const p = averageBitsOf(linears, [Math.log(3), 0, 17])
  expect(p[0]).toBeCloseTo(5.25, 12)
  expect([...p.slice(1)]).toEqual([3.5, 3])
  expect(meanBits(linears, p)).toBeCloseTo((525 + 1050 + 150) / 450, 12)
  expect([...averageBitsOf(linears, [1000, -1000, 0])]).toEqual([6, 3, 3])
})

test('slopes are those of p', () => {
  for (const z of [-4, -0.5, 0, 1, 3]) {
    const at = (h: number) => averageBitsOf(linears, [z + h, z + h, z + h])
    averageBitsSlopes(linears, [z, z, z]).forEach((slope, i) => {
      expect(slope).toBeCloseTo((at(1e-5)[i] - at(-1e-5)[i]) / 2e-5, 8)
    })
  }
})

test('the gradient of the penalty, by differences', () => {
  const z = [0.3, -1, 0]
  const penalty = { targetBits: 3.4, alpha: 10 }
  const found = objectiveGradient(linears, z, [0, 0, 0], penalty)
  found.forEach((g, i) => {
    const at = (h: number) => meanBitsPenalty(linears, z.with(i, z[i] + h), penalty)
    expect(g).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 8)
  })
  expect(Math.abs(found[1])).toBeGreaterThan(0.01)
  expect(found[2]).toBe(0)
})

const anyLinears = fc.array(
  fc.record({
    weights: fc.integer({ min: 1, max: 1e8 }),
    minBits: fc.integer({ min: 3, max: 5 }),
    room: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 40 },
)

test('landing: the mean is the target, and every z moves by the same', () => {
  const property = fc.property(
    anyLinears,
    fc.double({ min: 0.001, max: 0.999, noNaN: true }),
    fc.integer(),
    (shapes, part, seed) => {
      const some = shapes.map(({ weights, minBits, room }) => ({ weights, minBits, maxBits: minBits + room }))
      fc.pre(shapes.some(({ room }) => room > 0))
      const least = meanBits(
        some,
        some.map(({ minBits }) => minBits),
      )
      const most = meanBits(
        some,
        some.map(({ maxBits }) => maxBits),
      )
      const targetBits = least + part * (most - least)
      const random = createRandom(seed)
      const z = some.map(() => 5 * random.normal())
      const landed = landOnTarget(some, z, targetBits)
      expect(Math.abs(meanBits(some, averageBitsOf(some, landed)) - targetBits)).toBeLessThan(1e-9)
      landed.forEach((value, i) => {
        expect(value - z[i]).toBeCloseTo(landed[0] - z[0], 9)
      })
    },
  )
  fc.assert(property, { seed: 1, numRuns: 300 })
})

test('beginnings: at the target where a linear can be read at more, else anywhere; a draw for every linear', () => {
  const at = (init: 'target' | 'random', seed = 0) =>
    averageBitsOf(linears, initialParameters(linears, { init, targetBits: 4.5, seed }))
  expect(at('target')[0]).toBeCloseTo(4.5, 12)
  const drawn = at('random')
  expect(at('target')[1]).toBe(drawn[1])
  expect(drawn[0]).not.toBeCloseTo(4.5, 3)
  expect([...at('random', 1)]).not.toEqual([...drawn])
  drawn.forEach((p, i) => {
    expect(p >= linears[i].minBits && p <= linears[i].maxBits).toBe(true)
  })
})
