import { decideBits, type Estimator, THRESHOLDS } from '../backend/policy.js'
import type { BitPlaneWeight } from '../bit-planes/weight.js'
import type { Floats } from './floats.js'
import { type DenseWeights, matVec } from './linear.js'

/** The estimate e of one token from x [D] (`Estimator`). */
export function estimate(dense: DenseWeights, weight: BitPlaneWeight, estimator: Estimator, x: Floats): number {
  switch (estimator.kind) {
    case 'none':
      return 0
    case 'exact': {
      const low = new Float32Array(weight.rows)
      const high = new Float32Array(weight.rows)
      matVec(dense.get(weight, estimator.low), x, 0, weight.cols, low, 0, weight.rows)
      matVec(dense.get(weight, estimator.high), x, 0, weight.cols, high, 0, weight.rows)
      let sum = 0
      for (let n = 0; n < weight.rows; n++) sum += (high[n] - low[n]) ** 2
      return Math.fround(Math.sqrt(sum))
    }
    case 'linear': {
      let sum = 0
      for (let d = 0; d < x.length; d++) sum += x[d] ** 2
      return Math.fround(Math.fround(estimator.slope) * Math.sqrt(sum) + Math.fround(estimator.intercept))
    }
    case 'projection': {
      const k = estimator.matrix.shape[0]
      const projected = new Float32Array(k)
      matVec(estimator.matrix.data, x, 0, x.length, projected, 0, k)
      return Math.fround(Math.sqrt(projected.reduce((sum, v) => sum + v * v, 0)))
    }
    case 'probe': {
      const { data } = estimator.weights
      let sum = 0
      for (let d = 0; d < x.length; d++) sum += data[d] * x[d]
      return Math.fround(sum + Math.fround(estimator.bias))
    }
  }
}

/**
 * The select operator: estimates and bits of all rows of x [T, D]; `thresholds` is this operator's row of the
 * policy. Without a policy: the most bits loaded.
 */
export function select(
  dense: DenseWeights,
  weight: BitPlaneWeight,
  policy: { estimator: Estimator; thresholds: Float32Array; offset: number } | undefined,
  x: Floats,
  bits: Uint8Array,
  estimates: Float32Array,
): void {
  const width = x.length / bits.length
  for (let t = 0; t < bits.length; t++) {
    if (policy === undefined) {
      bits[t] = weight.maxBits
      continue
    }
    const e = estimate(dense, weight, policy.estimator, x.subarray(t * width, (t + 1) * width))
    estimates[t] = e
    bits[t] = decideBits(e, policy.thresholds, policy.offset, weight.seedBits, weight.maxBits)
  }
}

/** Where operator `index`'s part of a policy is. */
export function selectorAt(policy: { estimators: readonly Estimator[]; thresholds: Float32Array }, index: number) {
  return { estimator: policy.estimators[index], thresholds: policy.thresholds, offset: index * THRESHOLDS }
}
