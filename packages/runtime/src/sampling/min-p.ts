/**
 * Min-p (Nguyen et al. 2024): the tokens at least p times as likely as the most likely one of them.
 * @param logits f32 [V]
 * @param ids tokens, in any order, which is kept
 * @param p in [0, 1]
 */
export function minP(logits: Float32Array, ids: Uint32Array, p: number): Uint32Array {
  let max = Number.NEGATIVE_INFINITY
  for (const id of ids) max = Math.max(max, logits[id])
  const least = max + Math.log(p)
  return ids.filter((id) => logits[id] >= least)
}
