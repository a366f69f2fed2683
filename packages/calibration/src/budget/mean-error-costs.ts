import type { CostedLinear } from '../allocation/allocate-bits.js'

/**
 * Mean output errors as the costs of a static allocation (`allocateBits`, `hitTarget`): costs[j] is the mean error at
 * minBits + j bits. A criterion like Phase 1's, but of what the linears write instead of their weights.
 * @param linears as of `measureOutputErrors` or `calibrateProbes`
 */
export function meanErrorCosts(
  linears: readonly { readonly weights: number; readonly minBits: number; readonly errors: Float64Array }[],
): CostedLinear[] {
  return linears.map(({ weights, minBits, errors }) => ({ weights, minBits, costs: errors }))
}
