/** Whether all values are finite: 0 · x is 0 for those that are, NaN for the others. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += 0 * values[i]
  return sum === 0
}
