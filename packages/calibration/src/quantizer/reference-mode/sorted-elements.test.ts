import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lowerBound, meanOf, sortElements, withUnitWeights } from './sorted-elements.js'

const row = Float32Array.of(0.5, -2, 0, 0.5, 1)

test('elements ascend, equal values in the order of their columns, with sums over the first so many', () => {
  const { values, columns, weightSums, momentSums, energySums } = sortElements(row, Float32Array.of(1, 2, 7, 3, 4))
  expect([...values]).toEqual([-2, 0, 0.5, 0.5, 1])
  expect([...columns]).toEqual([1, 2, 0, 3, 4])
  // The weight of 0 does not count.
  expect([...weightSums]).toEqual([0, 2, 2, 3, 6, 10])
  expect([...momentSums]).toEqual([0, -4, -4, -3.5, -2, 2])
  expect([...energySums]).toEqual([0, 8, 8, 8.25, 9, 13])
})

test.each<[what: string, sensitivities: Float32Array | undefined]>([
  ['none', undefined],
  ['only zeros', new Float32Array(5)],
  ['only one of a weight of 0', Float32Array.of(0, 0, 3, 0, 0)],
])('with sensitivities that leave nothing (%s) every element counts 1', (_, sensitivities) => {
  expect([...sortElements(row, sensitivities).weightSums]).toEqual([0, 1, 2, 3, 4, 5])
})

test('a range without weight has the plain mean, any other the weighted one', () => {
  const sorted = sortElements(Float32Array.of(1, 2, 4, 8), Float32Array.of(0, 0, 1, 3))
  expect(meanOf(sorted, 0, 2)).toBe(1.5)
  expect(meanOf(sorted, 0, 3)).toBe(4)
  expect(meanOf(sorted, 2, 4)).toBe(7)
  expect(meanOf(withUnitWeights(sorted, 1, 4), 0, 3)).toBeCloseTo(14 / 3, 15)
})

test('means stay within their values where sums of very different sizes cancel', () => {
  // The last two weigh less than the sums before them can hold.
  const sorted = sortElements(Float32Array.of(-3, 1, 1.25), Float32Array.of(3e20, 30000, 10000))
  const weight = sorted.weightSums[3] - sorted.weightSums[1]
  expect((sorted.momentSums[3] - sorted.momentSums[1]) / weight).not.toBeCloseTo(1.0625, 3)
  const mean = meanOf(sorted, 1, 3)
  expect(mean).toBeGreaterThanOrEqual(1)
  expect(mean).toBeLessThanOrEqual(1.25)
})

test('left insertion', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 })), fc.integer({ min: -1, max: 10 }), (numbers, value) => {
      const ascending = Float32Array.from(numbers).sort()
      const place = lowerBound(ascending, value, 0, ascending.length)
      expect(place).toBe(ascending.filter((x) => x < value).length)
    }),
  )
})
