import { z } from 'zod'
import { selectInputKinds } from '../models/select-inputs.js'
import { bits } from './numbers.js'

/** What estimates the error of a linear (`Estimator` of @dpllm/core). */
const estimator = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('exact') }),
  z.object({ kind: z.literal('projection') }),
  z.object({ kind: z.literal('linear'), slope: z.number(), intercept: z.number() }),
])

/** One linear at one target: `low` bits while its estimate is at most `threshold`, else `high`. */
const decision = z.object({
  low: bits,
  high: bits,
  /** Infinite thresholds stand as null where low = high, which needs none. */
  threshold: z.number().nullable(),
  /** Default: that of the policy. */
  estimator: estimator.optional(),
})

/** Of all linears that do not say otherwise. */
export const defaultEstimator = z.enum(['exact', 'projection'])

export const fixedTargets = z.array(
  z.object({
    targetBits: z.number(),
    /** Effective bits on the calibration text with these thresholds. */
    measuredBits: z.number(),
    /** By module, of every linear. */
    linears: z.record(z.string(), decision),
  }),
)

/**
 * Thresholds for some targets and none between them: what others have calibrated. The matrices of projections are
 * tensors `MODULE.LOW-HIGH.projection`.
 */
export const fixedPolicySchema = z.object({
  kind: z.literal('fixed'),
  selectInputs: z.enum(selectInputKinds),
  /** Default `projection`. */
  estimator: defaultEstimator.optional(),
  targets: fixedTargets,
})

export type DecisionData = z.infer<typeof decision>
export type FixedTargetData = z.infer<typeof fixedTargets>[number]
