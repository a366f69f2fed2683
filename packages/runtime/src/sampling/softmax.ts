import { DpllmError } from '@dpllm/core'

/**
 * log Σ_v exp(logits[v]), in nats; accumulated in double precision.
 * @param logits f32 [V]; −∞ excludes a token
 * @throws DpllmError (ERR_DPLLM_LOGITS) if a logit is NaN or +∞, or none is finite: weights or inputs are broken
 */
export function logSumExp(logits: Float32Array): number {
  let max = Number.NEGATIVE_INFINITY
  for (let v = 0; v < logits.length; v++) {
    const logit = logits[v]
    if (!(logit < Number.POSITIVE_INFINITY)) throw brokenLogits(`logit ${v} is ${logit}`)
    if (logit > max) max = logit
  }
  if (max === Number.NEGATIVE_INFINITY) throw brokenLogits(logits.length === 0 ? 'there are none' : 'all are -Infinity')
  let sum = 0
  for (let v = 0; v < logits.length; v++) sum += Math.exp(logits[v] - max)
  return max + Math.log(sum)
}

function brokenLogits(found: string): DpllmError {
  return new DpllmError('ERR_DPLLM_LOGITS', `logits: expected finite numbers, found that ${found}; the weights may be damaged`)
}
