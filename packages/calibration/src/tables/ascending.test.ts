import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeAscending } from './ascending.js'

/** The least-squares ascending values by their max-min formula: max over a <= i of min over b >= i of mean(a … b). */
function nearestAscending(values: readonly number[]): number[] {
  const mean = (a: number, b: number) => values.slice(a, b + 1).reduce((sum, x) => sum + x, 0) / (b - a + 1)
  return values.map((_, i) => {
    const from = Array.from({ length: i + 1 }, (_, a) => a)
    const to = Array.from({ length: values.length - i }, (_, b) => i + b)
    return Math.max(...from.map((a) => Math.min(...to.map((b) => mean(a, b)))))
  })
}

test('the nearest ascending values', () => {
  const value = fc.double({ min: -4, max: 4, noNaN: true })
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 12 }), (values) => {
      const found = Float64Array.from(values)
      const changed = makeAscending(found)
      expect(changed).toBe(values.some((x, i) => x < values[i - 1]))
      found.forEach((x, i) => {
        if (i > 0) expect(x).toBeGreaterThanOrEqual(found[i - 1])
      })
      for (const [i, x] of nearestAscending(values).entries()) expect(found[i]).toBeCloseTo(x, 10)
    }),
    { seed: 1 },
  )
})

test('only the range given', () => {
  const values = Float64Array.of(9, 3, 1, 0)
  expect(makeAscending(values, 1, 3)).toBe(true)
  expect([...values]).toEqual([9, 2, 2, 0])
})
