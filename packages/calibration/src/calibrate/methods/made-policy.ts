import type { Tensor } from '@dpllm/core'
import type { ProfileData } from '@dpllm/runtime'

/** What a method has found for a model and a memory budget: what its profile holds besides its provenance. */
export interface MadePolicy {
  /** B_i, in the order of the model's linears. */
  readonly maxBits: readonly number[]
  readonly policy: ProfileData['policy']
  readonly tensors: ReadonlyMap<string, Tensor<'f32'>>
  /** Further facts for the profile's provenance. */
  readonly provenance: Readonly<Record<string, string | number>>
}
