import { erf } from '@dpllm/core'
import { expect, test } from 'vitest'
import { createNormals } from './normals.js'

const COUNT = 2 ** 17
const normal = createNormals(1)
const values = Array.from({ length: COUNT }, normal)

test('they are normal: Kolmogorov–Smirnov', () => {
  const sorted = values.slice().sort((a, b) => a - b)
  const distance = sorted.reduce((most, value, i) => {
    const cdf = (1 + erf(value / Math.SQRT2)) / 2
    return Math.max(most, Math.abs(cdf - i / COUNT), Math.abs(cdf - (i + 1) / COUNT))
  }, 0)
  // Normal numbers exceed this for one seed in 10 thousand: sqrt(ln(2 / 1e-4) / 2).
  expect(distance * Math.sqrt(COUNT)).toBeLessThan(2.23)
})

test('they have the tails of normal numbers, where the logarithm decides', () => {
  for (const z of [2, 3, 3.5]) {
    const p = 1 - erf(z / Math.SQRT2)
    const found = values.filter((value) => Math.abs(value) > z).length
    // 4 standard deviations of a binomial count.
    expect(Math.abs(found - COUNT * p)).toBeLessThan(4 * Math.sqrt(COUNT * p))
  }
})

test('they do not follow each other, and streams are their own', () => {
  const product = values.slice(1).reduce((sum, value, i) => sum + value * values[i], 0)
  expect(Math.abs(product)).toBeLessThan(4 * Math.sqrt(COUNT))
  const other = createNormals(2)
  const across = values.reduce((sum, value) => sum + value * other(), 0)
  expect(Math.abs(across)).toBeLessThan(4 * Math.sqrt(COUNT))
  const [a, b] = [createNormals(1), createNormals(1)]
  expect(Array.from({ length: 5 }, () => [a(), b()])).toEqual(values.slice(0, 5).map((value) => [value, value]))
})
