/** A vector of which less than this is left depends on those before it, as far as sums of f32 products can tell. */
const DEPENDENT = 1e-6

/**
 * Makes rows orthonormal, in order, by Gram–Schmidt, each row twice ("twice is enough", Giraud et al. 2005). A row that
 * depends on those before it becomes zero.
 * @param rows f64 [count, length], changed in place
 */
export function orthonormalize(rows: Float64Array, length: number): void {
  for (let i = 0; i < rows.length; i += length) {
    const row = rows.subarray(i, i + length)
    const whole = Math.sqrt(dot(row, row))
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j += length) {
        const other = rows.subarray(j, j + length)
        const share = dot(row, other)
        for (let c = 0; c < length; c++) row[c] -= share * other[c]
      }
    }
    const rest = Math.sqrt(dot(row, row))
    const factor = rest > whole * DEPENDENT ? 1 / rest : 0
    for (let c = 0; c < length; c++) row[c] *= factor
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let c = 0; c < a.length; c++) sum += a[c] * b[c]
  return sum
}
