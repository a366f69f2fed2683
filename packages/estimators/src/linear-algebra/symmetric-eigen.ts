/** Sweeps of Jacobi's method; it converges quadratically, some 8 are enough for matrices of a hundred rows. */
const MAX_SWEEPS = 30

/** Eigenvalues from the largest to the smallest, and their vectors as the rows of `vectors`, f64 [n, n]. */
export interface SymmetricEigen {
  readonly values: Float64Array
  readonly vectors: Float64Array
}

/**
 * Eigenvalues and vectors of a small symmetric matrix by Jacobi's cyclic rotations (Golub and Van Loan, "Matrix
 * Computations", §8.5): + − × ÷ and roots alone.
 * @param matrix f64 [n, n]; not changed
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  const a = matrix.slice()
  const v = new Float64Array(n * n)
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  const tolerance = a.reduce((sum, x) => sum + x * x, 0) * 1e-30
  for (let sweep = 0; sweep < MAX_SWEEPS && offDiagonal(a, n) > tolerance; sweep++) {
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q)
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i] || i - j)
  const vectors = new Float64Array(n * n)
  order.forEach((from, to) => {
    vectors.set(v.subarray(from * n, (from + 1) * n), to * n)
  })
  return { values: Float64Array.from(order, (i) => a[i * n + i]), vectors }
}

function offDiagonal(a: Float64Array, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sum += 2 * a[i * n + j] * a[i * n + j]
  return sum
}

/** Makes a[p, q] zero; rows of v gather the vectors. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]
  if (apq === 0) return
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < n; k++) {
    const akp = a[k * n + p]
    const akq = a[k * n + q]
    a[k * n + p] = c * akp - s * akq
    a[k * n + q] = s * akp + c * akq
  }
  turnRows(a, n, p, q, c, s)
  turnRows(v, n, p, q, c, s)
}

function turnRows(m: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const mp = m[p * n + k]
    const mq = m[q * n + k]
    m[p * n + k] = c * mp - s * mq
    m[q * n + k] = s * mp + c * mq
  }
}
