import fc from 'fast-check'
import { expect, test } from 'vitest'
import { paretoFront } from './pareto.js'

interface Point {
  readonly x: number
  readonly y: number
}
const front = (points: readonly Point[]) =>
  paretoFront(
    points,
    ({ x }) => x,
    ({ y }) => y,
  )

test('fast and good: what nothing beats in both', () => {
  const [slow, middle, worse, fast] = [
    { x: 1, y: 1 },
    { x: 2, y: 2 },
    { x: 1.5, y: 3 },
    { x: 3, y: 4 },
  ]
  expect(front([fast, worse, slow, middle])).toEqual([slow, middle, fast])
})

test('agrees with the definition', () => {
  const number = fc.integer({ min: 0, max: 6 })
  fc.assert(
    fc.property(fc.array(fc.record({ x: number, y: number })), (points) => {
      const found = front(points)
      const beats = (a: Point, b: Point) => a.x >= b.x && a.y <= b.y && (a.x > b.x || a.y < b.y)
      const wanted = points.filter((point) => !points.some((other) => beats(other, point)))
      const keys = (some: readonly Point[]) => [...new Set(some.map(({ x, y }) => `${x},${y}`))].sort()
      expect(keys(found)).toEqual(keys(wanted))
      expect(found.map(({ x }) => x)).toEqual(found.map(({ x }) => x).sort((a, b) => a - b))
    }),
  )
})
