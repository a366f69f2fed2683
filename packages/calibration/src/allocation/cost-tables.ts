import { InvalidArgumentError } from '@dpllm/core'
import type { CostedLinear } from './allocate-bits.js'
import type { QuantizationErrors } from './quantization-errors.js'

/**
 * Phase 1 of DP-LLM, and the static knapsack: Ω_b = Σ_k F_kk (W − W_b)_k², the second-order term of the loss with the diagonal
 * Fisher information for its Hessian, without the factor ½ (appendix A, equations 4–6).
 */
export function fisherCosts({ module, weighted }: QuantizationErrors): Float64Array {
  if (weighted === undefined) throw new InvalidArgumentError('errors', 'measured with sensitivities', module)
  return weighted
}

/**
 * LLM-MQ (Li et al. 2023) as in DP-LLM appendix B.2, equations 7–8: |gᵀ(W − W_b)|, the first-order term of the loss. It may
 * rise with the bits.
 */
export function llmMqCosts({ module, firstOrder }: QuantizationErrors): Float64Array {
  if (firstOrder === undefined) throw new InvalidArgumentError('errors', 'measured with gradients', module)
  return firstOrder.map(Math.abs)
}

/** HAWQ-V2 (Dong et al. 2020) as in DP-LLM appendix B.2, equation 9: Tr(H) ‖W − W_b‖² with Tr(F) = Σ_k F_kk for Tr(H). */
export function hawqV2Costs({ module, squared, trace }: QuantizationErrors): Float64Array {
  if (trace === undefined) throw new InvalidArgumentError('errors', 'measured with sensitivities', module)
  return squared.map((error) => trace * error)
}

/** HAWQ-V2 with the trace as in its own paper, the mean of the diagonal: Tr(F) / (N · K) · ‖W − W_b‖². */
export function hawqV2MeanCosts(errors: QuantizationErrors): Float64Array {
  return hawqV2Costs(errors).map((cost) => cost / errors.weights)
}

/** LSAQ's importances in a knapsack: I ‖W − W_b‖² with the importance I of the linear's block (`blockImportance`). */
export function lsaqCosts({ squared }: QuantizationErrors, importance: number): Float64Array {
  return squared.map((error) => importance * error)
}

/** Linears with the costs of a table, ready for `allocateBits` and `hitTarget`. */
export function costedLinears(
  errors: readonly QuantizationErrors[],
  costsOf: (errors: QuantizationErrors) => Float64Array,
): CostedLinear[] {
  return errors.map((one) => ({ weights: one.weights, minBits: one.minBits, costs: costsOf(one) }))
}
