import type { Estimator } from '@dpllm/core'

/** What decides between two bit counts of one linear, for every average between them. */
export interface PairEstimator {
  readonly low: number
  readonly high: number
  readonly estimator: Estimator
  /** f32 [257]: quantiles of its estimates over calibration tokens (`sketchQuantiles`). */
  readonly quantiles: Float32Array
}

/** The estimators of one linear: usually 3|4, 4|5 … up to the most bits that are loaded; none if it has no choice. */
export interface LinearEstimators {
  /** Name of the linear, unique in its model. */
  readonly name: string
  /** D, the length of what its estimators read: of its inputs, K, or of an earlier value where estimates read that. */
  readonly cols: number
  readonly pairs: readonly PairEstimator[]
}
