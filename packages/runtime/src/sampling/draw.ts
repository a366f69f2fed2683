import type { Random } from '@dpllm/core'

/**
 * Draws one token with probabilities proportional to exp(logit / temperature).
 * @param logits f32 [V]
 * @param ids tokens to draw from; at least one of them has a finite logit
 * @param temperature above 0
 */
export function draw(logits: Float32Array, ids: Uint32Array, temperature: number, random: Random): number {
  let max = Number.NEGATIVE_INFINITY
  for (const id of ids) max = Math.max(max, logits[id])
  const weights = new Float64Array(ids.length)
  let total = 0
  for (let i = 0; i < ids.length; i++) {
    weights[i] = Math.exp((logits[ids[i]] - max) / temperature)
    total += weights[i]
  }
  const target = random.uniform() * total
  let sum = 0
  let last = 0
  for (let i = 0; i < ids.length; i++) {
    if (weights[i] === 0) continue
    sum += weights[i]
    last = i
    if (sum > target) break
  }
  return ids[last]
}
