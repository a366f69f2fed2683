import { InvalidArgumentError } from '@dpllm/core'
import type { AdaptivePolicy } from './adaptive-policy.js'
import { clamp } from './target-curve.js'

/** Tokens over which a debt of bits is paid back. */
export const FEEDBACK_HORIZON = 16

/** Tokens that count as if they had read what they were asked for: until there are more, a bias is not quite believed. */
const UNBIASED = 16

/** Holds the mean of what a request reads at its target. */
export interface Feedback {
  /**
   * To be called after every step.
   * @param effectiveBits mean bits that the step's tokens read
   * @param tokens number of them
   */
  record(effectiveBits: number, tokens: number): void
}

/**
 * Feedback on a policy's target: bits that were read beyond the target, over all tokens so far, are saved on the next
 * `horizon` ones, and the other way round; and what tokens of this request read beyond what they were asked for is asked for
 * less. A calibration meets its target on its own text; this does on any, as long as the policy can be moved so far.
 * @throws InvalidArgumentError unless the horizon is a positive number of tokens
 */
export function createFeedback(
  adaptive: Pick<AdaptivePolicy, 'range' | 'retarget'>,
  targetBits: number,
  { horizon = FEEDBACK_HORIZON }: { readonly horizon?: number } = {},
): Feedback {
  if (!(horizon >= 1 && Number.isFinite(horizon))) throw new InvalidArgumentError('horizon', 'at least 1 token', horizon)
  let [asked, debt, excess, seen] = [targetBits, 0, 0, 0]
  return {
    record: (effectiveBits, tokens) => {
      debt += (effectiveBits - targetBits) * tokens
      excess += (effectiveBits - asked) * tokens
      seen += tokens
      const bias = excess / (seen + UNBIASED)
      // A step of many tokens is followed by another one: its debt in one step would swing.
      asked = clamp(targetBits - bias - debt / Math.max(horizon, 2 * tokens), ...adaptive.range)
      adaptive.retarget(asked)
    },
  }
}
