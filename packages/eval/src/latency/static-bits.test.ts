import fc from 'fast-check'
import { expect, test } from 'vitest'
import { roundedBits } from './static-bits.js'

const square = (size: number) => ({ rows: size, cols: 1 })

test('the mean is kept as well as whole bits can', () => {
  expect(roundedBits([square(1), square(1)], [3.5, 4.5])).toEqual([4, 4])
  expect(roundedBits([square(1), square(1), square(1)], [3.2, 4.4, 5])).toEqual([3, 5, 5])
  expect(roundedBits([square(10), square(1)], [3.05, 3.9])).toEqual([3, 4])
  expect(() => roundedBits([square(1)], [])).toThrow(/means/)
})

test('every linear is off by less than a bit, and the mean by less than half of the largest linear', () => {
  const linears = fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.double({ min: 3, max: 8, noNaN: true })), {
    minLength: 1,
  })
  fc.assert(
    fc.property(linears, (all) => {
      const means = all.map(([, mean]) => mean)
      const bits = roundedBits(
        all.map(([size]) => square(size)),
        means,
      )
      bits.forEach((b, i) => {
        expect(Math.abs(b - means[i])).toBeLessThan(1)
      })
      const miss = all.reduce((sum, [size, mean], i) => sum + size * (bits[i] - mean), 0)
      expect(Math.abs(miss)).toBeLessThanOrEqual(Math.max(...all.map(([size]) => size)) / 2 + 1e-6)
    }),
  )
})
