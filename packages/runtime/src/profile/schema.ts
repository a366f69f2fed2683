import type { EstimatorsHeader } from '@dpllm/estimators'
import { z } from 'zod'
import { selectInputKinds } from '../models/select-inputs.js'
import { fixedPolicySchema } from './fixed-schema.js'
import { averageBits, bits } from './numbers.js'

/** Most targets of a profile; from 3 to 8 bits by hundredths there are 501. */
const MAX_TARGETS = 1000

const selectInputs = z.enum(selectInputKinds)
const target = z.object({ targetBits: averageBits })

/** At least one target, ascending by `targetBits`. */
function targets<T extends z.ZodType<{ targetBits: number }>>(element: T) {
  const ascend = (all: { targetBits: number }[]) => all.every((t, i) => i === 0 || t.targetBits > all[i - 1].targetBits)
  return z.array(element).min(1).max(MAX_TARGETS).refine(ascend, 'expected targets that ascend')
}

/** The same bits for every token: allocations of a static method. */
const staticPolicy = z.object({
  kind: z.literal('static'),
  allocations: targets(
    target.extend({
      /** Parameter-weighted mean of `bits`. */
      averageBits,
      /** By module, of every linear. */
      bits: z.record(z.string(), bits),
    }),
  ),
})

/** The header of `serializeEstimators`; `deserializeEstimators` checks what is not said here. */
const estimators = z.looseObject({
  format: z.literal('dpllm-estimators'),
  version: z.number().int().min(1),
  linears: z.array(
    z.looseObject({
      name: z.string(),
      cols: z.number().int().min(1),
      pairs: z.array(z.looseObject({ low: bits, high: bits, estimator: z.looseObject({ kind: z.string() }) })),
    }),
  ),
})

/** Two bit counts for every linear and target, a token's estimate deciding between them (DP-LLM §4). */
const thresholdPolicy = z.object({
  kind: z.literal('threshold'),
  selectInputs,
  targets: targets(
    target.extend({
      /** Added to every average: what makes the effective bits land on the target. */
      shift: z.number().min(-8).max(8),
      /** Effective bits on the calibration text. */
      measuredBits: averageBits,
      /** p of every linear, by module. */
      averageBits: z.record(z.string(), averageBits),
    }),
  ),
  estimators: estimators as unknown as z.ZodType<EstimatorsHeader>,
})

/** Bits bought at one price: each token's sensitivity, an exponential of a linear probe, times a table of mean errors. */
const budgetPolicy = z.object({
  kind: z.literal('budget'),
  prices: targets(
    target.extend({
      /** Natural logarithm of the price of a bit of one weight. */
      logPrice: z.number(),
      /** Effective bits on the calibration text. */
      measuredBits: averageBits,
    }),
  ).refine((all) => all.every((p, i) => i === 0 || p.logPrice < all[i - 1].logPrice), 'expected prices that fall'),
  linears: z.array(
    z.object({
      /** The module. */
      name: z.string(),
      minBits: bits,
      /** Mean error at minBits, minBits + 1 … bits. */
      errors: z.array(z.number().min(0)).min(1).max(8),
      /** Of the probe, whose weights are the tensor `MODULE.probe`. */
      bias: z.number(),
    }),
  ),
})

/**
 * `profiles/NAME.json`: what one calibration of a model for a memory budget found. Tensors are in
 * `profiles/NAME.safetensors`.
 */
export const profileSchema = z.object({
  format: z.literal(2),
  /** `static`, `llm-mq`, `hawq-v2`, `lsaq`, `dp-llm`, `budget` … */
  method: z.string(),
  /** Average bits for each weight that the budget allows to be loaded. */
  memoryBudget: z.number(),
  /** Most bits of each module under the budget. */
  maxBits: z.record(z.string(), bits),
  policy: z.discriminatedUnion('kind', [staticPolicy, thresholdPolicy, budgetPolicy, fixedPolicySchema]),
  /** How it was made: data hash, tokens, seed, versions. */
  provenance: z.record(z.string(), z.union([z.string(), z.number()])),
})

/** A profile's JSON. */
export type ProfileData = z.infer<typeof profileSchema>
/** What a profile decides by. */
export type PolicyData = ProfileData['policy']
export type StaticPolicyData = Extract<PolicyData, { kind: 'static' }>
export type ThresholdPolicyData = Extract<PolicyData, { kind: 'threshold' }>
export type BudgetPolicyData = Extract<PolicyData, { kind: 'budget' }>
export type FixedPolicyData = Extract<PolicyData, { kind: 'fixed' }>
