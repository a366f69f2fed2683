import type { BitPlaneWeight } from '../bit-planes/weight.js'
import type { FloatTensor } from '../tensor.js'

export type Weight = FloatTensor | BitPlaneWeight

/** Weights by the names that a program's operators use. */
export type Weights = ReadonlyMap<string, Weight>

export function isBitPlanes(weight: Weight): weight is BitPlaneWeight {
  return 'kind' in weight && weight.kind === 'bitPlanes'
}

/** Bytes of a weight in memory: elements, or planes and tables. */
export function weightBytes(weight: Weight): number {
  if (!isBitPlanes(weight)) return weight.data.byteLength
  return weight.luts.reduce((sum, lut) => sum + lut.byteLength, weight.planes.byteLength)
}

/** [rows, cols] of a matrix weight; [1, length] of a vector. */
export function matrixShape(weight: Weight): [rows: number, cols: number] {
  if (isBitPlanes(weight)) return [weight.rows, weight.cols]
  const [a, b] = weight.shape
  return b === undefined ? [1, a] : [a, b]
}
