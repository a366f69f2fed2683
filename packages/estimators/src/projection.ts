import { createRandom, type Tensor } from '@dpllm/core'

/** Rows of a Johnson–Lindenstrauss projection; 64 keeps an error norm within 15 % for 91 % of the tokens (DP-LLM §5.1). */
export const PROJECTION_ROWS = 64

export interface ProjectionOptions {
  /** Rows k of the projection; default PROJECTION_ROWS. */
  readonly k?: number
  /** Seed of A; the same seed gives the same A for ever. */
  readonly seed: number
}

/**
 * G = A D, f32 [k, cols], with A [k, rows] of independent normal values of variance 1/k: then ‖G x‖₂ estimates
 * ‖D x‖₂, since E‖A y‖² = ‖y‖² (DP-LLM §5.1). D is the difference of a weight at two bit counts.
 * @param rowOf gives row n of D, f32 [cols]; called once for each row, in order
 */
export function createProjection(
  rows: number,
  cols: number,
  rowOf: (n: number) => Float32Array,
  options: ProjectionOptions,
): Tensor<'f32'> {
  const { k = PROJECTION_ROWS, seed } = options
  const random = createRandom(seed)
  const scale = 1 / Math.sqrt(k)
  const sums = new Float64Array(k * cols)
  for (let n = 0; n < rows; n++) {
    const row = rowOf(n)
    for (let j = 0; j < k; j++) {
      const a = random.normal() * scale
      const base = j * cols
      for (let i = 0; i < cols; i++) sums[base + i] += a * row[i]
    }
  }
  return { dtype: 'f32', shape: [k, cols], data: Float32Array.from(sums) }
}

/** ‖G x‖₂ of one token's x [cols]. */
export function projectedNorm(matrix: Tensor<'f32'>, x: Float32Array): number {
  const [k, cols] = matrix.shape
  let squares = 0
  for (let j = 0; j < k; j++) {
    let dot = 0
    for (let i = 0; i < cols; i++) dot += matrix.data[j * cols + i] * x[i]
    squares += dot * dot
  }
  return Math.sqrt(squares)
}
