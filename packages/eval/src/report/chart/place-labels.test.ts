import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeLabels } from './place-labels.js'

test('labels far from each other stay; two at one height part evenly; none leaves the room', () => {
  expect(placeLabels([10, 50, 90], 16, 100)).toEqual([10, 50, 90])
  expect(placeLabels([50, 50], 16, 100)).toEqual([42, 58])
  expect(placeLabels([99, 98], 16, 100)).toEqual([100, 84])
  expect(placeLabels([], 16, 100)).toEqual([])
})

test('a gap between all, in the order wanted, inside the room if it is large enough', () => {
  const heights = fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 18 })
  fc.assert(
    fc.property(heights, (wanted) => {
      const placed = placeLabels(wanted, 16, 300)
      const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b])
      for (let i = 1; i < order.length; i++) expect(placed[order[i]] - placed[order[i - 1]]).toBeGreaterThan(16 - 1e-9)
      for (const height of placed) {
        expect(height).toBeGreaterThan(-1e-9)
        expect(height).toBeLessThan(300 + 1e-9)
      }
    }),
  )
})
