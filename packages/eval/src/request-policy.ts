import type { Policy } from '@dpllm/core'
import { createFeedback, type Feedback, type Model, type PrecisionRequest } from '@dpllm/runtime'

/** A precision request, and whether feedback holds a dynamic one at its target (default true). */
export interface PolicyOptions extends PrecisionRequest {
  readonly feedback?: boolean | undefined
}

/** What the steps of one request run with. */
export interface RequestPolicy {
  /** Undefined reads the most bits loaded. */
  readonly policy: Policy | undefined
  /** To be called after every step, where there is feedback: what its tokens read moves the policy's thresholds. */
  readonly record: Feedback['record'] | undefined
  readonly feedback: boolean
}

/**
 * The policy of one request, as `generate` has it: with feedback, thresholds of its own.
 * @throws InvalidArgumentError for a precision that the model cannot give
 */
export function requestPolicy(model: Pick<Model, 'precision'>, options: PolicyOptions): RequestPolicy {
  const { targetBits, precision, method, feedback = true } = options
  const chosen = model.precision({ targetBits, precision, method })
  if (!feedback || chosen.adapt === undefined || targetBits === undefined)
    return { policy: chosen.policy, record: undefined, feedback: false }
  const adaptive = chosen.adapt()
  const { record } = createFeedback(adaptive, targetBits)
  return { policy: adaptive.policy, record, feedback: true }
}
