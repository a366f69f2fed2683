/**
 * A weight difference and inputs as unlike white noise as those of language models are: columns of the difference shrink
 * as (c + 1)^(−decay / 2), columns of a token as (c + 1)^−d with a d of its own, mostly half of `decay` to twice as much,
 * so that tokens differ in how much of them lies where errors are large. Sizes differ by `spread` (standard deviation of
 * the logarithm); with 0 all tokens have norm 1, as after RMSNorm, and the norm says nothing.
 * @param {() => number} normal standard normal numbers
 */
export function synthetic(normal, { rows, cols, tokens, decay = 0.7, spread = 0 }) {
  const difference = Float32Array.from(
    { length: rows * cols },
    (_, i) => (normal() * ((i % cols) + 1) ** (-decay / 2)) / Math.sqrt(rows),
  )
  const x = new Float32Array(tokens * cols)
  for (let t = 0; t < tokens; t++) {
    const token = x.subarray(t * cols, (t + 1) * cols)
    const shrink = decay * Math.exp(normal() / 2)
    for (let c = 0; c < cols; c++) token[c] = normal() * (c + 1) ** -shrink
    const size = Math.exp(spread * normal()) / Math.hypot(...token)
    for (let c = 0; c < cols; c++) token[c] *= size
  }
  return { difference, x, rowOf: (row) => difference.subarray(row * cols, (row + 1) * cols) }
}
