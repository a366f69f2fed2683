/** The token of the greatest logit; of equal ones the lowest id. */
export function greedy(logits: Float32Array): number {
  let best = 0
  for (let v = 1; v < logits.length; v++) if (logits[v] > logits[best]) best = v
  return best
}
