import fc from 'fast-check'
import { expect, test } from 'vitest'
import { meanBits } from './mean-bits.js'
import { createTargetCurve } from './target-curve.js'

/** Linears with whole bounds, and one to four targets with averages that may lie a little beyond them. */
const curves = fc
  .array(
    fc.record({
      weights: fc.integer({ min: 1, max: 1000 }),
      least: fc.integer({ min: 3, max: 4 }),
      room: fc.integer({ min: 0, max: 4 }),
      averages: fc.array(fc.double({ min: -0.2, max: 1.2, noNaN: true }), { minLength: 4, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .chain((linears) =>
    fc.record({
      linears: fc.constant(linears),
      targets: fc
        .uniqueArray(fc.double({ min: 3, max: 8, noNaN: true }), { minLength: 1, maxLength: 4 })
        .map((targets) => targets.sort((a, b) => a - b)),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  )
  .map(({ linears, targets, part }) => {
    const bounds = linears.map(({ weights, least, room }) => ({ weights, least, most: least + room }))
    const points = targets.map((targetBits, j) => ({
      targetBits,
      averageBits: linears.map(({ least, room, averages }) => least + room * averages[j]),
    }))
    return { bounds, points, part }
  })

test('the weighted mean is linear in the target between two points, and averages stay within bounds', () => {
  fc.assert(
    fc.property(curves, ({ bounds, points, part }) => {
      const curve = createTargetCurve(points, bounds)
      const ends = [curve.range[0], ...points.map((point) => point.targetBits), curve.range[1]]
      for (let i = 1; i < ends.length; i++) {
        const [from, to] = [ends[i - 1], ends[i]]
        const target = from + part * (to - from)
        const mean = (t: number) => meanBits(bounds, curve.at(t))
        // The part as the rounded target has it: points may be as near as two numbers can be.
        const wanted = to === from ? mean(to) : mean(from) + ((target - from) / (to - from)) * (mean(to) - mean(from))
        expect(mean(target)).toBeCloseTo(wanted, 9)
        curve.at(target).forEach((p, j) => {
          expect(p).toBeGreaterThanOrEqual(bounds[j].least)
          expect(p).toBeLessThanOrEqual(bounds[j].most)
        })
      }
    }),
  )
})

test('a stored target gives its averages, within bounds; the ends of the range give fewest and most bits', () => {
  const bounds = [
    { weights: 10, least: 3, most: 5 },
    { weights: 30, least: 3, most: 6 },
  ]
  const points = [
    { targetBits: 3.5, averageBits: [4, 3.25] },
    { targetBits: 4.5, averageBits: [5.5, 4] },
  ]
  const curve = createTargetCurve(points, bounds)
  expect(curve.range).toEqual([3, 5.75])
  expect([...curve.at(3.5)]).toEqual([4, 3.25])
  expect([...curve.at(4.5)]).toEqual([5, 4])
  expect([...curve.at(4)]).toEqual([4.5, 3.625])
  expect([...curve.at(3)]).toEqual([3, 3])
  expect([...curve.at(3.25)]).toEqual([3.5, 3.125])
  expect([...curve.at(0)]).toEqual([3, 3])
  expect([...curve.at(5.75)]).toEqual([5, 6])
  expect([...curve.at(9)]).toEqual([5, 6])
})

test('a target that is an end already has nothing beyond it', () => {
  const bounds = [{ weights: 1, least: 3, most: 4 }]
  const curve = createTargetCurve([{ targetBits: 3, averageBits: [3] }], bounds)
  expect(curve.range).toEqual([3, 4])
  expect([...curve.at(3)]).toEqual([3])
  expect([...curve.at(3.5)]).toEqual([3.5])
})
