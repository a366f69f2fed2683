import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { computeVectors } from '../scripts/compute-vectors.mjs'
import * as estimators from '../src/index.js'

const published = JSON.parse(readFileSync(new URL('../vectors.json', import.meta.url), 'utf8'))
const { exact, near, ...rest } = await computeVectors(estimators)

test('the published vectors that are promised to the bit', () => {
  expect(exact).toEqual(published.exact)
  expect(rest).toEqual({ about: published.about, shape: published.shape })
})

test('those that are published with a tolerance', () => {
  const { tolerance } = published.near
  const compare = (found: unknown, wanted: unknown): void => {
    if (typeof wanted === 'number') {
      expect(Math.abs((found as number) - wanted)).toBeLessThanOrEqual(tolerance * Math.abs(wanted))
      return
    }
    const [a, b] = [found, wanted].map((value) => Object.entries(value as object))
    expect(a.map(([key]) => key)).toEqual(b.map(([key]) => key))
    a.forEach(([, value], i) => {
      compare(value, b[i][1])
    })
  }
  compare(near, published.near)
})

test('an independent computation of the projection: A by the definition, sums in the order of the rows', () => {
  const normal = estimators.createNormals(7)
  const { rows, cols } = published.shape
  const sums = new Float64Array(64 * cols)
  for (let n = 0; n < rows; n++) {
    for (let j = 0; j < 64; j++) {
      const a = normal() / 8
      for (let c = 0; c < cols; c++) sums[j * cols + c] += a * ((((7 * n + 3 * c + n * c) % 11) - 5) / 16)
    }
  }
  const rowsOf = [0, 1, 63].map((j) => Array.from(sums.subarray(j * cols, (j + 1) * cols), Math.fround))
  expect(rowsOf).toEqual(published.exact.projection.rows)
})
