import { createRandom } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { denseSolution, errorOf, randomRow } from '../testing/least-squares.js'
import { fitTable } from './least-squares.js'
import { halveClasses, tableMoments } from './refit-moments.js'

const rows = fc
  .record({
    cols: fc.integer({ min: 1, max: 90 }),
    classes: fc.constantFrom(2, 8, 16),
    samples: fc.constantFrom(1, 5, 400),
    used: fc.double({ min: 0.2, max: 1, noNaN: true }),
    seed: fc.nat(),
  })
  .map(randomRow)

test('never increases the error; ascends; is finite', () => {
  let better = 0
  fc.assert(
    fc.property(rows, ({ covariance, codes, weights, old }) => {
      const table = fitTable(tableMoments(covariance, codes, weights, old.length), old)
      const [before, after] = [old, table].map((t) => errorOf(covariance, codes, weights, t))
      expect(after).toBeLessThanOrEqual(before * (1 + 1e-6))
      if (after < 0.99 * before) better++
      for (let c = 1; c < table.length; c++) expect(table[c]).toBeGreaterThanOrEqual(table[c - 1])
    }),
    { numRuns: 300 },
  )
  expect(better).toBeGreaterThan(200)
})

test('is the dense solution of the normal equations where that ascends', () => {
  let ascending = 0
  for (let seed = 0; seed < 200; seed++) {
    const { covariance, codes, weights, old } = randomRow({ cols: 70, classes: 8, samples: 400, used: 1, seed })
    const wanted = denseSolution(covariance, codes, weights, old)
    if (wanted.some((entry, c) => c > 0 && entry < wanted[c - 1])) continue
    ascending++
    const table = fitTable(tableMoments(covariance, codes, weights, old.length), old)
    for (let c = 0; c < table.length; c++) expect(table[c]).toBeCloseTo(wanted[c], 5)
  }
  expect(ascending).toBeGreaterThan(50)
})

test('classes out of order become one, and the others follow', () => {
  // Independent inputs: every entry's own optimum is the mean of its elements, in the wrong order in the middle.
  const cols = 8
  const covariance = new Float32Array(cols * cols)
  for (let k = 0; k < cols; k++) covariance[k * cols + k] = 1
  const codes = Uint8Array.of(0, 0, 1, 1, 2, 2, 3, 3)
  const weights = Float32Array.of(-4, -2, 2, 2, 1, 1, 5, 6)
  const table = fitTable(tableMoments(covariance, codes, weights, 4), Float64Array.of(-3, 1.2, 1.3, 6))
  const wanted = [-3, 1.5, 1.5, 5.5]
  // But for the ridge of 1e-4.
  table.forEach((entry, c) => {
    expect(Math.abs(entry - wanted[c])).toBeLessThan(1e-4)
  })
  expect(table[1]).toBe(table[2])
})

test('classes without elements keep their entries, but for the order', () => {
  const covariance = Float32Array.of(1, 0, 0, 1)
  const moments = tableMoments(covariance, Uint8Array.of(1, 2), Float32Array.of(-1, 2), 4)
  const near = (table: Float64Array, wanted: number[]) =>
    table.forEach((entry, c) => {
      expect(entry).toBeCloseTo(wanted[c], 3)
    })
  near(fitTable(moments, Float64Array.of(-2, -1.1, 1.9, 3)), [-2, -1, 2, 3])
  near(fitTable(moments, Float64Array.of(-0.9, -0.9, 1.9, 1.9)), [-1, -1, 2, 2])
})

test('without inputs, and where half precision ends, the old table stays', () => {
  const old = Float64Array.of(-1, 0, 1, 2)
  const codes = Uint8Array.of(0, 1, 2, 3)
  expect(fitTable(tableMoments(new Float32Array(16), codes, Float32Array.of(1, 2, 3, 4), 4), old)).toBe(old)
  const identity = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0))
  expect(fitTable(tableMoments(identity, codes, Float32Array.of(1, 2, 3, 7e4), 4), old)).toBe(old)
  const broken = identity.with(3, Number.NaN)
  expect(fitTable(tableMoments(broken, codes, Float32Array.of(1, 2, 3, 4), 4), old)).toBe(old)
})

test('merging neighbouring classes is binning by shorter codes', () => {
  const random = createRandom(3)
  const { covariance, codes, weights } = randomRow({ cols: 77, classes: 16, samples: 90, used: 0.8, seed: random.uint32() })
  let moments = tableMoments(covariance, codes, weights, 16)
  for (let shift = 1; shift < 4; shift++) {
    moments = halveClasses(moments)
    const direct = tableMoments(
      covariance,
      codes.map((code) => code >> shift),
      weights,
      16 >> shift,
    )
    expect(moments.counts).toEqual(direct.counts)
    const scale = Math.max(...direct.gram.map(Math.abs))
    moments.gram.forEach((value, i) => {
      expect(Math.abs(value - direct.gram[i])).toBeLessThan(1e-6 * scale)
    })
    moments.products.forEach((value, i) => {
      expect(Math.abs(value - direct.products[i])).toBeLessThan(1e-6 * scale)
    })
  }
})
