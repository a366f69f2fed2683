/**
 * Nucleus (Holtzman et al. 2020): the most likely tokens until their probabilities together reach p; at least one.
 * @param logits f32 [V]
 * @param ids tokens in falling order of their logits
 * @param p in (0, 1]
 * @param logTotal log of the sum of exp(logit) that probabilities are relative to
 * @returns a beginning of `ids`
 */
export function topP(logits: Float32Array, ids: Uint32Array, p: number, logTotal: number): Uint32Array {
  let sum = 0
  for (let i = 0; i < ids.length; i++) {
    sum += Math.exp(logits[ids[i]] - logTotal)
    if (sum >= p) return ids.subarray(0, i + 1)
  }
  return ids
}
