import type { OnProgress } from '@dpllm/core'
import { combineRows } from './linear-algebra/combine-rows.js'
import { dotProducts } from './linear-algebra/dot-products.js'
import { orthonormalize } from './linear-algebra/orthonormalize.js'
import { type RowOf, rowBlocks } from './linear-algebra/row-blocks.js'
import { symmetricEigen } from './linear-algebra/symmetric-eigen.js'
import { addWeightedRows } from './linear-algebra/weighted-rows.js'
import { createNormals } from './normals.js'
import { createPauses } from './pauses.js'

/** Directions looked for beyond those wanted: the last ones found are the least exact. */
const OVERSAMPLING = 8

export interface DirectionsOptions {
  readonly seed: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * The directions in which the outputs D x of tokens are largest: the top eigenvectors of their second moment D C Dᵀ,
 * C = Xᵀ X / n, orthonormal, the largest first. They are the left singular vectors of D C^½, so that Uᵀ D is the best
 * sketch of that many rows for these tokens. Found by randomised subspace iteration with one power step (Halko,
 * Martinsson and Tropp 2011, algorithm 4.4): four products of D and of X with some k vectors, never a matrix of K × K.
 * @param rowOf gives row n of D, f32 [cols]; called four times for each row
 * @param x f32 [n, cols]
 * @returns f64 [rows, count]; columns are zero where the outputs have fewer directions
 */
export async function principalDirections(
  rows: number,
  cols: number,
  rowOf: RowOf,
  x: Float32Array,
  count: number,
  { seed, signal, onProgress }: DirectionsOptions,
): Promise<Float64Array> {
  const n = x.length / cols
  const q = Math.min(count + OVERSAMPLING, rows)
  const pause = createPauses(signal)
  const normal = createNormals(seed)
  let weights = Float64Array.from({ length: n * q }, normal)
  for (let step = 0; ; step++) {
    // Combinations of tokens [q, cols], and their outputs: Q spans what D makes of them.
    const combined = new Float64Array(q * cols)
    addWeightedRows(weights, x, cols, combined)
    await pause()
    const basis = outputs(rows, cols, rowOf, Float32Array.from(combined))
    orthonormalize(basis, rows)
    await pause()
    const projected = Float32Array.from(combineRows(transposed(basis, q, rows), rows, cols, rowOf))
    await pause()
    // Outputs of the tokens in the basis, [n, q].
    weights = new Float64Array(n * q)
    dotProducts(x, projected, cols, weights)
    await pause()
    onProgress?.({ stage: 'principal directions', done: step + 1, total: 2, unit: 'passes' })
    if (step === 1) return rotated(basis, rows, weights, q, count)
  }
}

/** D Sᵀ, transposed: f64 [q, rows] of S f32 [q, cols]. */
function outputs(rows: number, cols: number, rowOf: RowOf, s: Float32Array): Float64Array {
  const q = s.length / cols
  const out = new Float64Array(q * rows)
  for (const [first, block] of rowBlocks(rows, cols, rowOf)) {
    const count = block.length / cols
    const products = new Float64Array(q * count)
    dotProducts(s, block, cols, products)
    for (let i = 0; i < q; i++) out.set(products.subarray(i * count, (i + 1) * count), i * rows + first)
  }
  return out
}

/** Rotates a basis f64 [q, rows] to the principal axes of the tokens' coordinates f64 [n, q]; [rows, count]. */
function rotated(basis: Float64Array, rows: number, coordinates: Float64Array, q: number, count: number): Float64Array {
  const moment = new Float64Array(q * q)
  for (let t = 0; t < coordinates.length; t += q) {
    for (let i = 0; i < q; i++) for (let j = 0; j < q; j++) moment[i * q + j] += coordinates[t + i] * coordinates[t + j]
  }
  const { vectors } = symmetricEigen(moment, q)
  const directions = new Float64Array(rows * count)
  for (let j = 0; j < Math.min(count, q); j++) {
    for (let i = 0; i < q; i++) {
      for (let r = 0; r < rows; r++) directions[r * count + j] += vectors[j * q + i] * basis[i * rows + r]
    }
  }
  return directions
}

function transposed(matrix: Float64Array, rows: number, cols: number): Float64Array {
  const out = new Float64Array(matrix.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = matrix[i * cols + j]
  return out
}
