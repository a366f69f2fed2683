import { solvePositiveDefinite } from './linear-algebra/cholesky.js'

/** Damping, in units of the mean ‖x‖² of all tokens: small, as the steps themselves shrink. */
const DAMPING = 0.1

/**
 * One damped Gauss–Newton step for r_t = ‖G x_t‖ − e_t of a batch. To first order, ΔG changes ‖G x_t‖ by u_tᵀ ΔG x_t with
 * u_t = G x_t / ‖G x_t‖. The least ΔG (in the Frobenius norm, and with damping) that makes all r_t zero is
 * Σ_t α_t u_t x_tᵀ, where (M + λ I) α = −r and M_st = (u_s · u_t) (x_s · x_t).
 * @param projected f64 [n, k]: G x_t
 * @param products f64 [n, n]: x_s · x_t
 * @param errors f32 [n]: e_t
 * @param meanSquare mean ‖x‖² of all tokens
 * @returns f64 [n, k]: rows α_t u_t, so that ΔG = Σ_t row_t x_tᵀ
 */
export function gaussNewtonWeights(
  projected: Float64Array,
  products: Float64Array,
  errors: Float32Array,
  meanSquare: number,
): Float64Array {
  const n = errors.length
  const k = projected.length / n
  const unit = projected.slice()
  const alpha = new Float64Array(n)
  for (let t = 0; t < n; t++) {
    let squares = 0
    for (let j = t * k; j < (t + 1) * k; j++) squares += projected[j] * projected[j]
    const norm = Math.sqrt(squares)
    alpha[t] = errors[t] - norm
    for (let j = t * k; j < (t + 1) * k; j++) unit[j] = norm === 0 ? 0 : unit[j] / norm
  }
  const matrix = new Float64Array(n * n)
  for (let s = 0; s < n; s++) {
    for (let t = 0; t <= s; t++) {
      let cosine = 0
      for (let j = 0; j < k; j++) cosine += unit[s * k + j] * unit[t * k + j]
      matrix[s * n + t] = cosine * products[s * n + t]
    }
    // With inputs that are all 0 any damping will do.
    matrix[s * n + s] += DAMPING * meanSquare || 1
  }
  solvePositiveDefinite(matrix, alpha)
  for (let i = 0; i < unit.length; i++) unit[i] *= alpha[Math.floor(i / k)]
  return unit
}
