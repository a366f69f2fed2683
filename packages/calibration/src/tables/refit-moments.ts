/**
 * What the squared error of a row's outputs depends on when its elements share values: with H [cols, cols] the second
 * moments of the inputs, w the row's weights and A [cols, classes] its codes, one-hot.
 */
export interface TableMoments {
  /** f64 [classes, classes]: AᵀHA. */
  readonly gram: Float64Array
  /** f64 [classes]: AᵀHw. */
  readonly products: Float64Array
  /** u32 [classes]: elements of each class. */
  readonly counts: Uint32Array
}

/**
 * The moments of one row. Sums over the columns of a class are f32 in ascending order of the column, as in the native
 * version, which is fast for it: classes are small, and what their rounding changes is the same in AᵀHA and AᵀHw.
 * @param covariance f32 [cols, cols], symmetric
 * @param codes u8 [cols], below `classes`
 * @param weights f32 [cols]
 */
export function tableMoments(covariance: Float32Array, codes: Uint8Array, weights: Float32Array, classes: number): TableMoments {
  const cols = codes.length
  const counts = new Uint32Array(classes)
  const sums = new Float32Array(classes * cols)
  for (let k = 0; k < cols; k++) {
    const sum = codes[k] * cols
    for (let j = 0; j < cols; j++) sums[sum + j] += covariance[k * cols + j]
    counts[codes[k]]++
  }
  const gram = new Float64Array(classes * classes)
  const products = new Float64Array(classes)
  for (let j = 0; j < cols; j++) {
    // H is symmetric: the classes of its columns are those of its rows.
    const row = codes[j] * classes
    for (let c = 0; c < classes; c++) {
      gram[row + c] += sums[c * cols + j]
      products[c] += sums[c * cols + j] * weights[j]
    }
  }
  return { gram, products, counts }
}

/** The moments of codes without their last bit: two neighbouring classes become one. */
export function halveClasses({ gram, products, counts }: TableMoments): TableMoments {
  const groupOf = Uint32Array.from(counts, (_, c) => c >> 1)
  const groups = counts.length / 2
  const merged = mergeClasses({ matrix: gram, rightSide: products }, groupOf, groups)
  return {
    gram: merged.matrix,
    products: merged.rightSide,
    counts: Uint32Array.from({ length: groups }, (_, c) => counts[2 * c] + counts[2 * c + 1]),
  }
}

/** A system of linear equations, one for each class. */
export interface Equations {
  /** f64 [classes, classes], symmetric. */
  readonly matrix: Float64Array
  /** f64 [classes]. */
  readonly rightSide: Float64Array
}

/** Adds up the classes that share a group, in rows, columns and the right side. */
export function mergeClasses({ matrix, rightSide }: Equations, groupOf: Uint32Array, groups: number): Equations {
  const size = rightSide.length
  const merged = { matrix: new Float64Array(groups * groups), rightSide: new Float64Array(groups) }
  for (let i = 0; i < size; i++) {
    const row = groupOf[i] * groups
    for (let j = 0; j < size; j++) merged.matrix[row + groupOf[j]] += matrix[i * size + j]
    merged.rightSide[groupOf[i]] += rightSide[i]
  }
  return merged
}
