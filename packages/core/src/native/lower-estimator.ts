import type { Estimator } from '../backend/policy.js'
import { estimatorKinds, type NativeEstimator } from './description.js'

/** Writes a checked estimator as the addon takes it. */
export function lowerEstimator(estimator: Estimator): NativeEstimator {
  switch (estimator.kind) {
    case 'none':
      return { kind: estimatorKinds.none }
    case 'exact':
      return { kind: estimatorKinds.exact, low: estimator.low, high: estimator.high }
    case 'linear':
      return { kind: estimatorKinds.linear, slope: estimator.slope, intercept: estimator.intercept }
    case 'projection':
      return { kind: estimatorKinds.projection, matrix: estimator.matrix.data, rows: estimator.matrix.shape[0] }
    case 'probe':
      return { kind: estimatorKinds.probe, weights: estimator.weights.data, bias: estimator.bias }
  }
}
