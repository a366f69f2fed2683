import { expect, test } from 'vitest'
import { spreadOf } from './spread.js'

test('mean, sample standard deviation and percentiles', () => {
  expect(spreadOf([6, 2, 4])).toEqual({
    mean: 4,
    standardDeviation: 2,
    median: 4,
    percentiles: { 1: expect.closeTo(2.04, 12), 50: 4, 90: expect.closeTo(5.6, 12), 99: expect.closeTo(5.96, 12) },
  })
  expect(spreadOf([3])).toMatchObject({ mean: 3, standardDeviation: 0, median: 3 })
  expect(() => spreadOf([])).toThrow(/values/)
})
