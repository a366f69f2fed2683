import { fitScale } from './scale-fit.js'

/**
 * How many of k rows should be principal directions. With the first j, a token's energy e² = c_j + r_j is known but for the
 * rest r_j, which k − j random rows estimate with a variance of 2 r_j² / (k − j) (a χ² with that many degrees of freedom): the
 * estimate of e errs by r_j² / (2 (k − j) e²) in mean square. For j = k, which estimates no rest, it is what remains
 * after the best scale.
 * @param coordinates f64 [n, k]: Uᵀ D x of the tokens, the largest direction first
 * @param errors f32 [n]
 * @returns the j with the least expected mean square error of these tokens
 */
export function bestSplit(coordinates: Float64Array, errors: Float32Array, k: number): number {
  const n = errors.length
  const captured = new Float64Array(n)
  let [best, least] = [0, Number.POSITIVE_INFINITY]
  for (let j = 0; j <= k; j++) {
    let sum = 0
    if (j < k) {
      for (let t = 0; t < n; t++) {
        const energy = errors[t] * errors[t]
        const rest = Math.max(0, energy - captured[t])
        if (energy > 0) sum += (rest * rest) / (2 * (k - j) * energy)
      }
    } else {
      const estimates = captured.map(Math.sqrt)
      const scale = fitScale(estimates, errors)
      for (let t = 0; t < n; t++) sum += (scale * estimates[t] - errors[t]) ** 2
    }
    if (sum < least) [best, least] = [j, sum]
    if (j < k) for (let t = 0; t < n; t++) captured[t] += coordinates[t * k + j] ** 2
  }
  return best
}
