import { bitsAround } from '../bit-planes/bits-around.js'
import type { BitPlaneWeight } from '../bit-planes/weight.js'
import type { Weight } from '../program/weights.js'
import type { Floats } from './floats.js'
import { type DenseWeights, matVec } from './linear.js'
import { addRow } from './linear-gradient.js'

/** The mixedLinear operator for all rows of x [T, K] → out [T, N], at an average of p bits. */
export function mixedLinear(
  dense: DenseWeights,
  weight: BitPlaneWeight,
  bias: Weight | undefined,
  x: Floats,
  p: number,
  out: Floats,
  rows: number,
): void {
  const { rows: N, cols: K } = weight
  const { low, high, fraction } = bitsAround(weight, p)
  const offset = bias === undefined ? undefined : dense.get(bias)
  const yLow = new Float64Array(N)
  const yHigh = new Float64Array(N)
  for (let t = 0; t < rows; t++) {
    matVec(dense.get(weight, low), x, t * K, K, yLow, 0, N)
    matVec(dense.get(weight, high), x, t * K, K, yHigh, 0, N)
    for (let n = 0; n < N; n++) out[t * N + n] = (1 - fraction) * yLow[n] + fraction * yHigh[n] + (offset?.[n] ?? 0)
  }
}

/** dx of mixedLinear for all rows of dy [T, N] → out [T, K]. */
export function mixedLinearTransposed(
  dense: DenseWeights,
  weight: BitPlaneWeight,
  dy: Floats,
  p: number,
  out: Floats,
  rows: number,
): void {
  const { rows: N, cols: K } = weight
  const { low, high, fraction } = bitsAround(weight, p)
  const sums = new Float64Array(K)
  for (let t = 0; t < rows; t++) {
    sums.fill(0)
    for (let n = 0; n < N; n++) {
      addRow((1 - fraction) * dy[t * N + n], dense.get(weight, low), n, sums)
      addRow(fraction * dy[t * N + n], dense.get(weight, high), n, sums)
    }
    out.set(sums, t * K)
  }
}

/** Σ_t ⟨dy[t], (W_high − W_low) x[t]⟩ for x [T, K] and dy [T, N]. */
export function bitsGradient(
  dense: DenseWeights,
  weight: BitPlaneWeight,
  x: Floats,
  dy: Floats,
  p: number,
  rows: number,
): number {
  const { rows: N, cols: K } = weight
  const { low, high } = bitsAround(weight, p)
  const yLow = new Float64Array(N)
  const yHigh = new Float64Array(N)
  let sum = 0
  for (let t = 0; t < rows; t++) {
    matVec(dense.get(weight, low), x, t * K, K, yLow, 0, N)
    matVec(dense.get(weight, high), x, t * K, K, yHigh, 0, N)
    for (let n = 0; n < N; n++) sum += dy[t * N + n] * (yHigh[n] - yLow[n])
  }
  return sum
}
