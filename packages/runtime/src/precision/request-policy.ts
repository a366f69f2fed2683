import type { Policy } from '@dpllm/core'
import type { Precision, PrecisionRequest } from './choose-precision.js'
import { createFeedback, type Feedback } from './feedback.js'

/** What the steps of one request run with. */
export interface RequestPolicy {
  /** Undefined reads the most bits loaded. */
  readonly policy: Policy | undefined
  /** To be called after every step, where there is feedback: what its tokens read moves the policy's thresholds. */
  readonly record?: Feedback['record']
}

/**
 * The policy of one request: with feedback, which is the default, one with thresholds of its own where its precision has
 * another target to move to.
 */
export function requestPolicy(
  { policy, adapt }: Precision,
  { targetBits, feedback = true }: Pick<PrecisionRequest, 'targetBits'> & { readonly feedback?: boolean | undefined },
): RequestPolicy {
  if (!feedback || adapt === undefined || targetBits === undefined) return { policy }
  const adaptive = adapt()
  return { policy: adaptive.policy, record: createFeedback(adaptive, targetBits).record }
}
