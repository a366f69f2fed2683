/**
 * The `count` largest of a row of logits, largest first; of equal ones the lower token first.
 * @param logits f32 [V], V >= count
 * @returns u32 [count] token ids
 */
export function topTokens(logits: Float32Array, count: number): Uint32Array {
  const tokens = new Uint32Array(count)
  let filled = 0
  for (let token = 0; token < logits.length; token++) {
    if (filled === count && !(logits[token] > logits[tokens[count - 1]])) continue
    // Few come this far, as most tokens are below the least of those found: an insertion is enough.
    let place = filled < count ? filled++ : count - 1
    for (; place > 0 && logits[token] > logits[tokens[place - 1]]; place--) tokens[place] = tokens[place - 1]
    tokens[place] = token
  }
  return tokens
}
