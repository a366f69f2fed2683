import { z } from 'zod'

const bits = z.number().int().min(1).max(8)

/** What estimates the error of a linear (`Estimator` of @dpllm/core). */
const estimator = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('exact') }),
  z.looseObject({ kind: z.literal('projection') }),
  z.looseObject({ kind: z.literal('linear'), slope: z.number(), intercept: z.number() }),
])

/** One linear at one target: `low` bits while its estimate is at most `threshold`, else `high`. */
const decision = z.looseObject({
  low: bits,
  high: bits,
  /** Infinite thresholds stand as null where low = high, which needs none. */
  threshold: z.number().nullable(),
  /** Default: that of the profile. */
  estimator: estimator.optional(),
})

/**
 * `profiles/NAME.json`: what one calibration of a model for a memory budget found. The matrices of projection
 * estimators are in `profiles/NAME.safetensors` as `MODULE.LOW-HIGH.projection`, F16 [k, cols].
 */
export const profileSchema = z.looseObject({
  format: z.literal(1),
  method: z.string(),
  /** Average bits for each weight that the budget allows to be loaded. */
  memoryBudget: z.number(),
  /** Most bits of each module under the budget. */
  maxBits: z.record(z.string(), bits),
  /** Of all linears that do not say otherwise. */
  estimator: z.enum(['exact', 'projection']),
  targets: z.array(
    z.looseObject({
      targetBits: z.number(),
      /** Effective bits on the calibration text with these thresholds. */
      measuredBits: z.number(),
      linears: z.record(z.string(), decision),
    }),
  ),
  /** How it was made: data hash, tokens, seed, versions. */
  provenance: z.record(z.string(), z.union([z.string(), z.number()])),
})

export type ProfileData = z.infer<typeof profileSchema>
export type TargetData = ProfileData['targets'][number]
export type DecisionData = TargetData['linears'][string]
