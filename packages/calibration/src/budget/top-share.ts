/** Part of the tokens that counts as the top. */
const TOP = 0.25

/**
 * Part of the sum of `values` that the quarter of the tokens with the largest estimates carries: 0.25 for estimates by chance.
 * NaN if all values are 0.
 */
export function topShare(estimates: ArrayLike<number>, values: ArrayLike<number>): number {
  const order = Array.from(estimates, (_, t) => t).sort((a, b) => estimates[b] - estimates[a] || a - b)
  const count = order.length * TOP
  let [top, sum] = [0, 0]
  order.forEach((t, i) => {
    // Of the token at the border, the part that belongs to the quarter.
    top += values[t] * Math.min(Math.max(count - i, 0), 1)
    sum += values[t]
  })
  return top / sum
}
