import { MAX_F16 } from '../quantizer/check-values.js'
import { type Equations, mergeClasses, type TableMoments } from './refit-moments.js'

/** Weight of the old table, as a part of the mean diagonal of the normal equations. */
const RIDGE = 1e-4

/**
 * The ascending table c of least squared error (w − A c)ᵀ H (w − A c) of a row's outputs, with a small ridge r towards the
 * old one: c = (AᵀHA + rI)⁻¹ (AᵀHw + r old), r = 1e-4 · mean(diag(AᵀHA)).
 *
 * Order: least squares may put a class below its left neighbour, mostly where both have few elements. Such neighbours are
 * made one class, which can only have one entry, and the smaller system is solved again, until all ascend. On stories15M
 * that leaves 99.9 % of what the unordered solution gains; to keep the old rows instead would leave a fifth at 6 bits, where
 * 70 % of the rows are out of order.
 *
 * Classes without elements keep their old entries, as far as the order lets them. A table that is no better than the
 * old one, or beyond half precision, is not taken, so that the error never grows.
 * @param old f64 [classes], ascending
 * @returns f64 [classes]
 */
export function fitTable(moments: TableMoments, old: Float64Array): Float64Array {
  const { used, ...equations } = normalEquations(moments, old)
  let system: Equations = equations
  const groupOf = Uint32Array.from(used, (_, i) => i)
  for (;;) {
    const solution = solve(system)
    if (solution === undefined) return old
    const { mergedInto, groups } = withoutDescents(solution)
    if (groups === solution.length) {
      const entries = Float64Array.from(groupOf, (group) => solution[group])
      const table = completeTable(used, entries, moments.counts, old)
      const fits = table.every((entry) => Math.abs(entry) <= MAX_F16)
      return fits && errorChange(moments, old, table) < 0 ? table : old
    }
    system = mergeClasses(system, mergedInto, groups)
    groupOf.forEach((group, i) => {
      groupOf[i] = mergedInto[group]
    })
  }
}

/** AᵀHA + rI and AᵀHw + r old of the classes that have elements. */
function normalEquations({ gram, products, counts }: TableMoments, old: Float64Array) {
  const classes = old.length
  const used: number[] = []
  let trace = 0
  for (let c = 0; c < classes; c++) {
    trace += gram[c * classes + c]
    if (counts[c] > 0) used.push(c)
  }
  const ridge = RIDGE * (trace / classes)
  const size = used.length
  const matrix = new Float64Array(size * size)
  const rightSide = new Float64Array(size)
  used.forEach((c, i) => {
    for (let j = 0; j < size; j++) matrix[i * size + j] = gram[c * classes + used[j]]
    matrix[i * size + i] += ridge
    rightSide[i] = products[c] + ridge * old[c]
  })
  return { used, matrix, rightSide }
}

/**
 * Solves a positive definite system by Cholesky's method without roots (L D Lᵀ), from the lower triangle.
 * @returns undefined if a pivot is not positive
 */
function solve({ matrix, rightSide }: Equations): Float64Array | undefined {
  const size = rightSide.length
  const a = matrix.slice()
  const x = rightSide.slice()
  const column = new Float64Array(size)
  for (let j = 0; j < size; j++) {
    const pivot = a[j * size + j]
    if (!(pivot > 0)) return undefined
    for (let i = j + 1; i < size; i++) column[i] = a[i * size + j]
    for (let i = j + 1; i < size; i++) {
      const factor = column[i] / pivot
      const row = i * size
      for (let k = j + 1; k <= i; k++) a[row + k] -= factor * column[k]
      a[row + j] = factor
      x[i] -= factor * x[j]
    }
  }
  for (let i = 0; i < size; i++) x[i] /= a[i * size + i]
  for (let i = size - 1; i >= 0; i--) {
    for (let k = 0; k < i; k++) x[k] -= a[i * size + k] * x[i]
  }
  return x
}

/** Groups of neighbours that are out of order. */
function withoutDescents(solution: Float64Array): { mergedInto: Uint32Array; groups: number } {
  const mergedInto = new Uint32Array(solution.length)
  let last = 0
  for (let i = 1; i < solution.length; i++) {
    if (!(solution[i] < solution[i - 1])) last++
    mergedInto[i] = last
  }
  return { mergedInto, groups: last + 1 }
}

/** The whole table: classes without elements keep their old entries as far as the order lets them. */
function completeTable(used: readonly number[], entries: Float64Array, counts: Uint32Array, old: Float64Array): Float64Array {
  const table = new Float64Array(old.length)
  used.forEach((c, i) => {
    table[c] = entries[i]
  })
  let above = Number.POSITIVE_INFINITY
  for (let c = table.length - 1; c >= 0; c--) {
    if (counts[c] === 0) table[c] = Math.min(old[c], above)
    above = table[c]
  }
  for (let c = 1; c < table.length; c++) {
    if (counts[c] === 0) table[c] = Math.max(table[c], table[c - 1])
  }
  return table
}

/** How much the squared error changes from `old` to `table`. */
function errorChange({ gram, products }: TableMoments, old: Float64Array, table: Float64Array): number {
  const classes = old.length
  let change = 0
  for (let i = 0; i < classes; i++) {
    let sum = 0
    for (let j = 0; j < classes; j++) sum += gram[i * classes + j] * (table[j] + old[j])
    change += (table[i] - old[i]) * (sum - 2 * products[i])
  }
  return change
}
