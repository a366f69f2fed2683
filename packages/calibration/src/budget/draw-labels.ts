import { createRandom } from '@dpllm/core'

/**
 * Draws a token from each row of logits f32 [tokens, V] with the probability that it has there.
 * @param window index of the window: every one has numbers of its own
 * @returns u32 [tokens]
 */
export function drawLabels(logits: Float32Array, tokens: number, seed: number, window: number): Uint32Array {
  // splitmix32's constant keeps the streams of neighbouring seeds and windows apart.
  const random = createRandom(Math.imul(seed, 0x9e3779b9) ^ window)
  const V = logits.length / tokens
  return Uint32Array.from({ length: tokens }, (_, t) => drawOne(logits.subarray(t * V, (t + 1) * V), random.uniform()))
}

function drawOne(logits: Float32Array, uniform: number): number {
  let most = Number.NEGATIVE_INFINITY
  for (const logit of logits) most = Math.max(most, logit)
  let total = 0
  for (const logit of logits) total += Math.exp(logit - most)
  let rest = uniform * total
  for (let token = 0; token < logits.length; token++) {
    rest -= Math.exp(logits[token] - most)
    if (rest < 0) return token
  }
  // What rounding leaves over belongs to the last.
  return logits.length - 1
}
