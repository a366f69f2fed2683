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

test('a probe is a dot product plus bias, of x of any width', () => {
  const weight = randomBitPlanes(1, 4, 2)
  const of = (weights: number[], bias: number, x: number[]) => {
    const tensor = { dtype: 'f32' as const, shape: [weights.length], data: Float32Array.from(weights) }
    return estimate(createDenseWeights(), weight, { kind: 'probe', weights: tensor, bias }, Float32Array.from(x))
  }
  expect(of([1, -2, 0.5], 0.25, [3, 4, -2])).toBe(-5.75)
  expect(of([0], -1, [7])).toBe(-1)
  expect(of([1, 1], 0.1, [2 ** 30, -(2 ** 30)])).toBe(Math.fround(0.1))
  // A sum in f32 would lose the 1.
  expect(of([2 ** 13, 1, -(2 ** 13)], 0, [2 ** 13, 1, 2 ** 13])).toBe(1)
})

test('norms and projections are of all of x, whatever its width', () => {
  const weight = randomBitPlanes(1, 4, 2)
  const x = Float32Array.of(2, -3, 6)
  expect(estimate(createDenseWeights(), weight, { kind: 'linear', slope: 1, intercept: 0 }, x)).toBe(7)
  const matrix = { dtype: 'f32' as const, shape: [2, 3], data: Float32Array.of(0, 1, 0, 2, 0, 0) }
  expect(estimate(createDenseWeights(), weight, { kind: 'projection', matrix }, x)).toBe(5)
})
