import fc from 'fast-check'
import { expect, test } from 'vitest'
import { descendingHull } from './hull.js'

test('vertices of known tables', () => {
  expect(descendingHull([7])).toEqual([0])
  expect(descendingHull([8, 4, 2, 1])).toEqual([0, 1, 2, 3])
  // The point at 2 is above the line from 1 to 3, the one at 1 below that from 0 to 3.
  expect(descendingHull([8, 4, 3.5, 1])).toEqual([0, 1, 3])
  // On the line.
  expect(descendingHull([3, 2, 1])).toEqual([0, 2])
  expect(descendingHull([1, 1, 2])).toEqual([0])
  expect(descendingHull([4, 5, 2, 2, 3])).toEqual([0, 2])
  expect(descendingHull([4, 3.9, 0])).toEqual([0, 2])
})

test('what minimises values[j] + λ j is a vertex, for any λ > 0', () => {
  const values = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 500 }), (table, tenths) => {
      // In tenths: no rounding.
      const cost = (j: number) => 10 * table[j] + tenths * j
      const lowest = Math.min(...table.map((_, j) => cost(j)))
      expect(Math.min(...descendingHull(table).map(cost))).toBe(lowest)
    }),
  )
})

test('every vertex is needed: alone the minimum for some λ', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }), (table) => {
      const hull = descendingHull(table)
      hull.forEach((vertex, v) => {
        const before = v === 0 ? Number.POSITIVE_INFINITY : (table[hull[v - 1]] - table[vertex]) / (vertex - hull[v - 1])
        const after = v === hull.length - 1 ? 0 : (table[vertex] - table[hull[v + 1]]) / (hull[v + 1] - vertex)
        expect(after).toBeLessThan(before)
      })
    }),
  )
})
