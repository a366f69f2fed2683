const DIGIT_BITS = 11
const DIGITS = 2 ** DIGIT_BITS

/**
 * The places that sort values: least significant digit radix sort in three passes, several times as fast as sorting by
 * comparing. Stable: equal values stay in order; −0 equals +0.
 * @param values f32 [n], no NaN
 * @returns u32 [n]: index of the smallest value, of the next, …
 */
export function argsort(values: Float32Array): Uint32Array {
  const keys = orderedBits(values)
  let order = new Uint32Array(values.length).map((_, i) => i)
  let next = new Uint32Array(values.length)
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = new Uint32Array(DIGITS + 1)
    for (const key of keys) starts[((key >>> shift) & (DIGITS - 1)) + 1]++
    for (let digit = 0; digit < DIGITS; digit++) starts[digit + 1] += starts[digit]
    for (const i of order) next[starts[(keys[i] >>> shift) & (DIGITS - 1)]++] = i
    ;[order, next] = [next, order]
  }
  return order
}

/** Unsigned integers that order like the values: negative ones inverted, the others above them. */
function orderedBits(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.map((value) => value + 0).buffer) // −0 becomes +0
  return bits.map((word) => (word >>> 31 === 1 ? ~word : word | 0x80000000))
}
