import { InvalidArgumentError } from '@dpllm/core'
import { covariances, squaredCorrelation } from './correlation.js'

/** From this R² on a linear fit is used: its norm is shared by all linears that read x, and costs next to nothing (DP-LLM §5.1). */
export const LINEAR_R2 = 0.9

/** error ≈ slope · ‖x‖₂ + intercept */
export interface LinearFit {
  readonly slope: number
  readonly intercept: number
  /** Squared correlation of ‖x‖₂ and the errors. */
  readonly r2: number
}

/**
 * Least-squares line through (‖x‖₂, ‖ΔW x‖₂) of the calibration tokens (DP-LLM §5.1). Norms that are all equal give slope
 * 0 and the mean error.
 * @param norms f32 [n] (`inputNorms`)
 * @param errors f32 [n]
 * @throws InvalidArgumentError unless there is one norm for each of at least one error
 */
export function fitLinear(norms: ArrayLike<number>, errors: ArrayLike<number>): LinearFit {
  if (errors.length === 0 || norms.length !== errors.length)
    throw new InvalidArgumentError('norms', `one for each of at least one error (${errors.length})`, norms.length)
  const { meanX, meanY, varianceX, covariance } = covariances(norms, errors)
  const slope = varianceX === 0 ? 0 : covariance / varianceX
  return { slope, intercept: meanY - slope * meanX, r2: squaredCorrelation(norms, errors) }
}

/** Estimates of a linear fit, f32 [n]. */
export function linearEstimates({ slope, intercept }: LinearFit, norms: ArrayLike<number>): Float32Array {
  return Float32Array.from(norms, (norm) => slope * norm + intercept)
}
