/**
 * Σ M b / Σ M: the mean of bits in which every linear counts by its number of weights (DP-LLM §4, equation 1).
 * @param bits [linears], whole or average
 */
export function meanBits(linears: readonly { readonly weights: number }[], bits: ArrayLike<number>): number {
  let [sum, total] = [0, 0]
  linears.forEach(({ weights }, i) => {
    sum += bits[i] * weights
    total += weights
  })
  return sum / total
}
