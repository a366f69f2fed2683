import type { Floats } from './floats.js'
import { matVec } from './linear.js'

/**
 * The tokenErrors operator: out[t] = Σ_n (dy[t, n] ((W_high − W_low) x[t])_n)² for x [T, K] and dy [T, N].
 * @param weights W_low and W_high, f32 [N, K]
 */
export function tokenErrors(
  [low, high]: readonly [Float32Array, Float32Array],
  x: Floats,
  dy: Floats,
  out: Floats,
  rows: number,
): void {
  const [K, N] = [x.length / rows, dy.length / rows]
  const yLow = new Float64Array(N)
  const yHigh = new Float64Array(N)
  for (let t = 0; t < rows; t++) {
    matVec(low, x, t * K, K, yLow, 0, N)
    matVec(high, x, t * K, K, yHigh, 0, N)
    let sum = 0
    for (let n = 0; n < N; n++) sum += (dy[t * N + n] * (yHigh[n] - yLow[n])) ** 2
    out[t] = sum
  }
}
