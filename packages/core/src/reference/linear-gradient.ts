import { unpackPlanes } from '../bit-planes/pack.js'
import { type BitPlaneWeight, tableEntries, tableOffset } from '../bit-planes/weight.js'
import type { AccumulateMode } from '../program/gradient-operators.js'
import type { Weight } from '../program/weights.js'
import type { Floats } from './floats.js'
import { type DenseWeights, weightOfRow } from './linear.js'

/** sums[k] += factor · w[n, k]: one row of a transposed product. */
export function addRow(factor: number, w: Floats, n: number, sums: Float64Array): void {
  const K = sums.length
  const row = n * K
  for (let k = 0; k < K; k++) sums[k] += factor * w[row + k]
}

/** The linearTransposed operator for all rows of dy [T, N] → out [T, K]; `bits` as in `Linear`. */
export function linearTransposed(
  dense: DenseWeights,
  weight: Weight,
  dy: Floats,
  bits: Uint8Array | undefined,
  out: Floats,
  rows: number,
): void {
  const N = dy.length / rows
  const sums = new Float64Array(rows === 0 ? 0 : out.length / rows)
  for (let t = 0; t < rows; t++) {
    const w = weightOfRow(dense, weight, bits, t)
    sums.fill(0)
    for (let n = 0; n < N; n++) addRow(dy[t * N + n], w, n, sums)
    out.set(sums, t * sums.length)
  }
}

/** into[n, k] += G[n, k] or its square, with G[n, k] = Σ_t dy[t, n] x[t, k]; x [T, K], dy [T, N], into [N, K]. */
export function accumulate(x: Floats, dy: Floats, mode: AccumulateMode, into: Floats, rows: number): void {
  if (rows === 0) return
  const N = dy.length / rows
  const K = x.length / rows
  const gradient = new Float64Array(K)
  for (let n = 0; n < N; n++) {
    gradient.fill(0)
    for (let t = 0; t < rows; t++) addRow(dy[t * N + n], x, t, gradient)
    for (let k = 0; k < K; k++) into[n * K + k] += mode === 'squares' ? gradient[k] * gradient[k] : gradient[k]
  }
}

/** The accumulateTables operator for all rows of x [T, K] and dy [T, N]; `bits` as in `Linear`. */
export function accumulateTables(
  weight: BitPlaneWeight,
  x: Floats,
  dy: Floats,
  bits: Uint8Array | undefined,
  into: Floats,
  rows: number,
): void {
  const { rows: N, cols: K, maxBits } = weight
  const codes = unpackPlanes(weight.planes, N, K, maxBits)
  const gradient = new Float64Array(tableEntries(weight))
  for (let n = 0; n < N; n++) {
    gradient.fill(0)
    for (let t = 0; t < rows; t++) {
      const b = bits?.[t] ?? maxBits
      const table = tableOffset(weight, b)
      const factor = dy[t * N + n]
      for (let k = 0; k < K; k++) gradient[table + (codes[n * K + k] >> (maxBits - b))] += factor * x[t * K + k]
    }
    for (let i = 0; i < gradient.length; i++) into[n * gradient.length + i] += gradient[i]
  }
}
