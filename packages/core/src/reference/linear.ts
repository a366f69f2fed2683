import { dequantize } from '../bit-planes/dequantize.js'
import { toFloat32 } from '../float16.js'
import { isBitPlanes, type Weight } from '../program/weights.js'
import type { Floats } from './floats.js'

/** f32 forms of weights, made when first needed and kept: the reference trades memory for plain code. */
export interface DenseWeights {
  /** f32 [rows, cols] of a dense weight, or of bit-planes read at `bits` bits. */
  get(weight: Weight, bits?: number): Float32Array
  /** Drops what was made of a weight, whose data has changed. */
  forget(weight: Weight): void
}

export function createDenseWeights(): DenseWeights {
  const kept = new Map<Weight, Map<number, Float32Array>>()
  return {
    get(weight, bits = 0) {
      const forms = kept.get(weight) ?? new Map<number, Float32Array>()
      kept.set(weight, forms)
      let form = forms.get(bits)
      if (form === undefined) {
        form = isBitPlanes(weight) ? dequantize(weight, bits) : toFloat32(weight)
        forms.set(bits, form)
      }
      return form
    },
    forget: (weight) => void kept.delete(weight),
  }
}

/**
 * y[n] = Σ_k w[n, k] x[k]. Sums in f64, rounded once to what y holds.
 * @param w f32 [N, K]
 * @param x of which [xOffset, xOffset + K) is read
 * @param y of which [yOffset, yOffset + N) is written
 */
export function matVec(w: Float32Array, x: Floats, xOffset: number, K: number, y: Floats, yOffset: number, N: number): void {
  // Four sums hide the latency of the addition; the order is fixed, so results are reproducible.
  const end = K - (K % 4)
  for (let n = 0; n < N; n++) {
    const row = n * K
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    for (let k = 0; k < end; k += 4) {
      s0 += w[row + k] * x[xOffset + k]
      s1 += w[row + k + 1] * x[xOffset + k + 1]
      s2 += w[row + k + 2] * x[xOffset + k + 2]
      s3 += w[row + k + 3] * x[xOffset + k + 3]
    }
    for (let k = end; k < K; k++) s0 += w[row + k] * x[xOffset + k]
    y[yOffset + n] = s0 + s1 + (s2 + s3)
  }
}

/** The linear operator for all rows of x [T, K] → out [T, N]; `bits` as in `Linear`. */
export function linear(
  dense: DenseWeights,
  weight: Weight,
  bias: Weight | undefined,
  x: Floats,
  bits: Uint8Array | undefined,
  out: Floats,
  rows: number,
): void {
  const K = x.length / rows
  const N = out.length / rows
  const offset = bias === undefined ? undefined : dense.get(bias)
  for (let t = 0; t < rows; t++) {
    matVec(weightOfRow(dense, weight, bits, t), x, t * K, K, out, t * N, N)
    if (offset) for (let n = 0; n < N; n++) out[t * N + n] += offset[n]
  }
}

/** The matrix f32 [N, K] that row t is multiplied with; `bits` as in `Linear`. */
export function weightOfRow(dense: DenseWeights, weight: Weight, bits: Uint8Array | undefined, t: number): Float32Array {
  return dense.get(weight, isBitPlanes(weight) ? (bits?.[t] ?? weight.maxBits) : 0)
}
