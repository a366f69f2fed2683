import { InvalidArgumentError, type OnProgress, type Tensor } from '@dpllm/core'
import { type CalibrationTokens, checkTokens, holdOut, thinOut } from './calibration-tokens.js'
import { combineRows } from './linear-algebra/combine-rows.js'
import { dotProducts } from './linear-algebra/dot-products.js'
import type { RowOf } from './linear-algebra/row-blocks.js'
import { createNormals } from './normals.js'
import { principalDirections } from './principal-directions.js'
import { PROJECTION_ROWS, projectedNorms, scaleProjection } from './projection.js'
import { fitScale } from './scale-fit.js'
import { bestSplit } from './sketch-split.js'

/** Tokens that directions are found from; more make them no better, as some 64 of them are wanted. */
const DIRECTION_TOKENS = 2048

/** Tokens that the split is judged by. */
const SPLIT_TOKENS = 1024

export interface SketchOptions {
  /** Rows k of the sketch; default PROJECTION_ROWS. */
  readonly k?: number
  /** How many of them are principal directions; default: the number that promises the least error on held-out tokens. */
  readonly principal?: number | undefined
  readonly seed: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface Sketch {
  /** G, f32 [k, cols]: ‖G x‖₂ estimates ‖D x‖₂. */
  readonly matrix: Tensor<'f32'>
  /** Rows of it that are principal directions; they come first. */
  readonly principal: number
}

/**
 * A sketch that knows the inputs: ‖D x‖² = xᵀ(DᵀD)x is concentrated in the directions U in which the outputs D x of
 * the calibration tokens are large, so the first rows are G = Uᵀ D (the best sketch of that many rows: the top right singular
 * directions of D C^½, C the inputs' second moment). They would miss the rest of the energy, another part of it for each
 * token; so the other rows are random, as those of Johnson and Lindenstrauss, but on what the first leave: A (I − U Uᵀ) D.
 * Together they are right on average for every x, and only the rest is estimated at random (the split of Hutch++, Meyer et
 * al. 2021). With all k rows principal the scale makes up for what they miss, on average over the tokens.
 * @param rowOf gives row n of D, f32 [cols]; called some five times for each row
 * @throws InvalidArgumentError, the signal's reason
 */
export async function createSketch(
  rows: number,
  cols: number,
  rowOf: RowOf,
  tokens: CalibrationTokens,
  options: SketchOptions,
): Promise<Sketch> {
  const { k = PROJECTION_ROWS, seed, signal, onProgress } = options
  if (!(Number.isInteger(k) && k >= 1)) throw new InvalidArgumentError('k', 'a positive integer', k)
  checkTokens(tokens, cols)
  const most = options.principal ?? k
  if (!(Number.isInteger(most) && most >= 0 && most <= k)) throw new InvalidArgumentError('principal', `0 to ${k}`, most)

  const { fitted, held } = holdOut(tokens, cols)
  const { x } = thinOut(fitted, cols, DIRECTION_TOKENS)
  const directions = await principalDirections(rows, cols, rowOf, x, most, { seed, signal, onProgress })
  let principal = most
  if (options.principal === undefined) {
    const judges = thinOut(held, cols, SPLIT_TOKENS)
    const projected = Float32Array.from(combineRows(directions, rows, cols, rowOf))
    const coordinates = new Float64Array(judges.errors.length * k)
    dotProducts(judges.x, projected, cols, coordinates)
    principal = bestSplit(coordinates, judges.errors, k)
  }
  const coefficients = sketchRows(directions, rows, most, principal, k, seed)
  const data = Float32Array.from(combineRows(coefficients, rows, cols, rowOf))
  const matrix: Tensor<'f32'> = { dtype: 'f32', shape: [k, cols], data }
  const judged = thinOut(fitted, cols, DIRECTION_TOKENS)
  return { matrix: scaleProjection(matrix, fitScale(projectedNorms(matrix, judged.x), judged.errors)), principal }
}

/** [U, (I − U Uᵀ) Aᵀ], f64 [rows, k], of the first `principal` columns of directions f64 [rows, most]. */
function sketchRows(
  directions: Float64Array,
  rows: number,
  most: number,
  principal: number,
  k: number,
  seed: number,
): Float64Array {
  const random = k - principal
  const normal = createNormals(seed + 1)
  const scale = 1 / Math.sqrt(random)
  const out = new Float64Array(rows * k)
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < principal; j++) out[r * k + j] = directions[r * most + j]
    for (let j = principal; j < k; j++) out[r * k + j] = normal() * scale
  }
  for (let j = principal; j < k; j++) {
    for (let i = 0; i < principal; i++) {
      let share = 0
      for (let r = 0; r < rows; r++) share += out[r * k + i] * out[r * k + j]
      for (let r = 0; r < rows; r++) out[r * k + j] -= share * out[r * k + i]
    }
  }
  return out
}
