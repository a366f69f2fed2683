import { expect, test } from 'vitest'
import { randomBitPlanes } from '../testing/index.js'
import { createDenseWeights } from './linear.js'
import { estimate } from './select.js'

test('a linear estimate is slope times norm plus intercept', () => {
  const weight = randomBitPlanes(1, 4, 2)
  const of = (slope: number, intercept: number) =>
    estimate(createDenseWeights(), weight, { kind: 'linear', slope, intercept }, Float32Array.of(3, -4))
  expect(of(2, -1)).toBe(9)
  expect(of(-1, 0.25)).toBe(-4.75)
  expect(of(0.1, 0)).toBe(Math.fround(5 * Math.fround(0.1)))
})
