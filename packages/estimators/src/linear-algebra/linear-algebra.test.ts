import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNormals } from '../normals.js'
import { solvePositiveDefinite } from './cholesky.js'
import { combineRows } from './combine-rows.js'
import { dotProducts } from './dot-products.js'
import { orthonormalize } from './orthonormalize.js'
import { symmetricEigen } from './symmetric-eigen.js'
import { addWeightedRows } from './weighted-rows.js'

const size = fc.integer({ min: 1, max: 11 })
const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const f32 = (length: number, normal: () => number) => Float32Array.from({ length }, normal)
const f64 = (length: number, normal: () => number) => Float64Array.from({ length }, normal)

test('dot products are the sums in the order of the columns, at every ragged edge', () => {
  fc.assert(
    fc.property(size, size, size, seed, (m, n, cols, s) => {
      const normal = createNormals(s)
      const [a, b] = [f32(m * cols, normal), f32(n * cols, normal)]
      const out = new Float64Array(m * n)
      dotProducts(a, b, cols, out)
      const wanted = Float64Array.from({ length: m * n }, (_, i) => {
        let sum = 0
        for (let c = 0; c < cols; c++) sum += a[Math.floor(i / n) * cols + c] * b[(i % n) * cols + c]
        return sum
      })
      expect(out).toEqual(wanted)
    }),
  )
})

test('weighted rows are the sums in the order of the rows, whatever the block', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), size, size, seed, (n, m, cols, s) => {
      const normal = createNormals(s)
      const [weights, x] = [f64(n * m, normal), f32(n * cols, normal)]
      const wanted = new Float64Array(m * cols)
      for (let t = 0; t < n; t++)
        for (let j = 0; j < m; j++) for (let c = 0; c < cols; c++) wanted[j * cols + c] += weights[t * m + j] * x[t * cols + c]
      const out = new Float64Array(m * cols)
      addWeightedRows(weights, x, cols, out)
      expect(out).toEqual(wanted)
      // The same row by row, from one array that is used again for each.
      const row = new Float32Array(cols)
      const rowOf = (t: number) => {
        row.set(x.subarray(t * cols, (t + 1) * cols))
        return row
      }
      expect(combineRows(weights, n, cols, rowOf)).toEqual(wanted)
    }),
  )
})

test('the solution of a positive definite system solves it', () => {
  fc.assert(
    fc.property(size, seed, (n, s) => {
      const normal = createNormals(s)
      const factor = f64(n * n, normal)
      const a = new Float64Array(n * n)
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) a[i * n + j] += factor[i * n + k] * factor[j * n + k]
        a[i * n + i] += 1
      }
      const x = f64(n, normal)
      const b = Float64Array.from(x, (_, i) => x.reduce((sum, value, j) => sum + a[i * n + j] * value, 0))
      solvePositiveDefinite(a, b)
      // Eigenvalues are 1 to some 100, so the error is some 100 units in the last place.
      x.forEach((value, i) => {
        expect(Math.abs(b[i] - value)).toBeLessThan(1e-11)
      })
    }),
  )
})

test('eigenvectors are orthonormal, sorted, and give the matrix back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), seed, (n, s) => {
      const normal = createNormals(s)
      const a = new Float64Array(n * n)
      for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = normal()
      const { values, vectors } = symmetricEigen(a, n)
      for (let i = 0; i < n; i++) {
        if (i > 0) expect(values[i]).toBeLessThanOrEqual(values[i - 1])
        for (let j = 0; j < n; j++) {
          let [product, entry] = [0, 0]
          for (let k = 0; k < n; k++) {
            product += vectors[i * n + k] * vectors[j * n + k]
            entry += values[k] * vectors[k * n + i] * vectors[k * n + j]
          }
          expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-12)
          expect(Math.abs(entry - a[i * n + j])).toBeLessThan(1e-12)
        }
      }
    }),
    { numRuns: 30 },
  )
})

test('orthonormal rows span the same; a row that depends on others becomes zero', () => {
  const normal = createNormals(3)
  const rows = f64(4 * 9, normal)
  for (let c = 0; c < 9; c++) rows[2 * 9 + c] = 3 * rows[c] - 2 * rows[9 + c]
  const before = rows.slice()
  orthonormalize(rows, 9)
  const dot = (a: Float64Array, i: number, b: Float64Array, j: number) =>
    a.subarray(i * 9, i * 9 + 9).reduce((sum, value, c) => sum + value * b[j * 9 + c], 0)
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++) expect(dot(rows, i, rows, j)).toBeCloseTo(i === j && i !== 2 ? 1 : 0, 13)
  for (let i = 0; i < 4; i++) {
    const shares = [0, 1, 2, 3].map((j) => dot(before, i, rows, j) ** 2)
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(dot(before, i, before, i), 10)
  }
})
