import { z } from 'zod'
import { defaultEstimator, fixedTargets } from './fixed-schema.js'
import { bits } from './numbers.js'
import type { ProfileData } from './schema.js'

/** Profiles of before policies had kinds: thresholds for some targets, estimated from a linear's own input. */
export const profileSchema1 = z.object({
  format: z.literal(1),
  method: z.string(),
  memoryBudget: z.number(),
  maxBits: z.record(z.string(), bits),
  estimator: defaultEstimator,
  targets: fixedTargets,
  provenance: z.record(z.string(), z.union([z.string(), z.number()])),
})

/** The same as format 2 says it. */
export function fromFormat1(data: z.infer<typeof profileSchema1>): ProfileData {
  const { format: _, estimator, targets, ...others } = data
  return { ...others, format: 2, policy: { kind: 'fixed', selectInputs: 'own', estimator, targets } }
}
