/**
 * Whole bits for each linear whose mean, weighted by parameters, is near a target: linears get the higher of the two counts around
 * it, the largest first, as long as the mean stays below; what is missing in the end is less than the smallest linear.
 * @param {{ rows: number, cols: number }[]} linears
 * @param {number} target
 */
export function mixedBits(linears, target) {
  const low = Math.floor(target)
  const sizes = linears.map(({ rows, cols }) => rows * cols)
  const bits = sizes.map(() => low)
  let missing = (target - low) * sizes.reduce((a, b) => a + b, 0)
  for (const i of [...sizes.keys()].sort((a, b) => sizes[b] - sizes[a])) {
    if (sizes[i] > missing) continue
    bits[i]++
    missing -= sizes[i]
  }
  return bits
}
