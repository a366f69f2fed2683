import { type Estimator, InvalidArgumentError, type Tensor, UnsupportedError } from '@dpllm/core'

/** How one member of a group gets its estimate from what the group's pass computes. */
export type GroupMember =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly slope: number; readonly intercept: number }
  /** The norm of rows `begin` … `end` − 1 of the products. */
  | { readonly kind: 'projection'; readonly begin: number; readonly end: number }
  /** Row `row` of the products, plus bias. */
  | { readonly kind: 'probe'; readonly row: number; readonly bias: number }

/** Estimators that read the same x [D]: those of q, k and v, say, or of gate and up. */
export interface EstimatorGroup {
  /** f32 [Σk, D]: the members' matrices and probes, one under the other; one that several members share stands there once. */
  readonly matrix: Tensor<'f32'>
  readonly members: readonly GroupMember[]
}

/**
 * Stacks estimators that read the same x, so that one product [Σk, D] × x and one norm ‖x‖ serve all.
 * @param cols D
 * @throws UnsupportedError for an `exact` one, which needs the weights; InvalidArgumentError for another number of columns
 */
export function groupEstimators(estimators: readonly Estimator[], cols: number): EstimatorGroup {
  const begins = new Map<Tensor<'f32'>, number>()
  let rows = 0
  /** The first row of a tensor of `count` rows, which are added unless they are there. */
  const place = (tensor: Tensor<'f32'>, count: number) => {
    const begin = begins.get(tensor) ?? rows
    if (begin === rows) {
      begins.set(tensor, begin)
      rows += count
    }
    return begin
  }
  const members = estimators.map((estimator, i): GroupMember => {
    if (estimator.kind === 'exact')
      throw new UnsupportedError(`estimators[${i}]: exact estimates need the weights; group linear ones, projections and probes`)
    if (estimator.kind === 'probe') {
      const { weights, bias } = estimator
      if (weights.shape.length !== 1 || weights.shape[0] !== cols || weights.data.length !== cols)
        throw new InvalidArgumentError(`estimators[${i}].weights`, `[${cols}]`, `[${weights.shape}]`)
      return { kind: 'probe', row: place(weights, 1), bias }
    }
    if (estimator.kind !== 'projection') return estimator
    const { matrix } = estimator
    const [k] = matrix.shape
    if (matrix.shape.length !== 2 || matrix.shape[1] !== cols || matrix.data.length !== k * cols)
      throw new InvalidArgumentError(`estimators[${i}].matrix`, `[k, ${cols}]`, `[${matrix.shape}]`)
    const begin = place(matrix, k)
    return { kind: 'projection', begin, end: begin + k }
  })
  const data = new Float32Array(rows * cols)
  for (const [matrix, begin] of begins) data.set(matrix.data, begin * cols)
  return { matrix: { dtype: 'f32', shape: [rows, cols], data }, members }
}

/**
 * Estimates of all members for one token, in one pass over the stacked matrix.
 * @param x f32 [D]
 * @param out f32 [members]; default a new array
 */
export function estimateGroup(
  { matrix, members }: EstimatorGroup,
  x: Float32Array,
  out: Float32Array = new Float32Array(members.length),
): Float32Array {
  const [rows, cols] = matrix.shape
  if (x.length !== cols) throw new InvalidArgumentError('x', `[${cols}]`, x.length)
  const products = multiply(matrix.data, rows, x)
  let norm: number | undefined
  members.forEach((member, i) => {
    if (member.kind === 'none') out[i] = 0
    else if (member.kind === 'linear') {
      norm ??= normOf(x)
      out[i] = Math.fround(member.slope) * norm + Math.fround(member.intercept)
    } else if (member.kind === 'probe') out[i] = products[member.row] + Math.fround(member.bias)
    else {
      let sum = 0
      for (let j = member.begin; j < member.end; j++) sum += products[j] * products[j]
      out[i] = Math.sqrt(sum)
    }
  })
  return out
}

function normOf(x: Float32Array): number {
  let squares = 0
  for (let i = 0; i < x.length; i++) squares += x[i] * x[i]
  return Math.sqrt(squares)
}

/** row · x of every row of a matrix f32 [rows, cols], four rows at a time. */
function multiply(data: Float32Array, rows: number, x: Float32Array): Float64Array {
  const cols = x.length
  const out = new Float64Array(rows)
  for (let j = 0; j < rows; j += 4) {
    // At the end the last row stands in for those that are missing.
    const j1 = Math.min(j + 1, rows - 1)
    const j2 = Math.min(j + 2, rows - 1)
    const j3 = Math.min(j + 3, rows - 1)
    let [s0, s1, s2, s3] = [0, 0, 0, 0]
    for (let i = 0; i < cols; i++) {
      const value = x[i]
      s0 += data[j * cols + i] * value
      s1 += data[j1 * cols + i] * value
      s2 += data[j2 * cols + i] * value
      s3 += data[j3 * cols + i] * value
    }
    out[j] = s0
    out[j1] = s1
    out[j2] = s2
    out[j3] = s3
  }
  return out
}
