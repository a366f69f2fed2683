import { expect, test } from 'vitest'
import { sortRow } from './sorted-row.js'

test('merges equal values and both zeros, and sums what they weigh', () => {
  const row = sortRow(Float32Array.of(2, -1, 0, 2, -0, -1, 2))
  expect([...row.values]).toEqual([-1, 0, 2])
  expect(Object.is(row.values[1], 0)).toBe(true)
  expect([...row.weights]).toEqual([2, 2, 3])
  expect([...row.valueIndex]).toEqual([2, 0, 1, 2, 1, 0, 2])
  expect([...row.weightSums]).toEqual([0, 2, 4, 7])
})

test('moments are counted from the weighted mean, so that the last is 0', () => {
  const row = sortRow(Float32Array.of(1000, 1001, 1003), Float32Array.of(1, 2, 1))
  const mean = (1000 + 2 * 1001 + 1003) / 4
  expect([...row.momentSums]).toEqual([0, 1000 - mean, 1000 - mean + 2 * (1001 - mean), 0])
})

test('a weight of 0 counts as insensitive; insensitive elements keep a millionth of the mean', () => {
  const row = sortRow(Float32Array.of(0, 1, 2, 3), Float32Array.of(100, 4, 0, 8))
  expect([...row.values]).toEqual([0, 1, 2, 3])
  expect([...row.weights]).toEqual([3e-6, 4, 3e-6, 8])
})

test('rows without any sensitivity count 1 everywhere, at zeros too', () => {
  expect([...sortRow(Float32Array.of(0, 1, 1), new Float32Array(3)).weights]).toEqual([1, 2])
  expect([...sortRow(Float32Array.of(0, 0), Float32Array.of(3, 3)).weights]).toEqual([2])
  expect([...sortRow(Float32Array.of(0, 1, 1)).weights]).toEqual([1, 2])
})
