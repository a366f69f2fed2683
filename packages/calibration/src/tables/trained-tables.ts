import { type BitPlaneWeight, f16ToF32, f32ToF16, lutOf, tableEntries, tableOffset } from '@dpllm/core'
import { type AdamWState, adamWStep } from '../optimizer/adamw.js'
import { MAX_F16 } from '../quantizer/check-values.js'
import { makeAscending } from './ascending.js'

/** The table of one weight at one bit count while it is trained. What steps read is what would be stored. */
export interface TrainedTable {
  /** MODULE.weight */
  readonly weight: string
  readonly bits: number
  /** f16 [rows, 2^bits] of the student: start + unit · offset, rounded. */
  readonly values: Uint16Array
  /** f16 [rows, 2^bits]: as training began. */
  readonly start: Uint16Array
  /** f32 [rows]: what an offset of 1 adds. */
  readonly units: Float32Array
  /** f32 [rows, 2^bits]: what is trained. */
  readonly offsets: Float32Array
  readonly moments: AdamWState<Float32Array>
}

/**
 * How far an offset of 1 moves entries, in standard deviations of the row's weights, by bit count: about as tables of
 * more bits are finer. Adam's steps are as long for noise as for a slope, so that too much undoes what is learnt
 * (docs/decisions/0008-tables-are-distilled.md).
 */
const STRIDE: Readonly<Record<number, number>> = { 3: 1, 4: 0.4, 5: 0.2 }

/** Of Adam. The shorter memory of the square follows a gradient whose size changes with the bits drawn. */
const BETAS = [0.9, 0.98] as const

/** Bit counts whose tables can be trained. Those of more bits have next to nothing left to gain. */
export const TRAINABLE_BITS: readonly number[] = Object.keys(STRIDE).map(Number)

/**
 * @param values of the student, which training changes in place
 * @param deviations f32 [rows], standard deviation of the rows of the original weight
 */
export function createTrainedTable(weight: string, bits: number, values: Uint16Array, deviations: Float32Array): TrainedTable {
  return {
    weight,
    bits,
    values,
    start: values.slice(),
    units: deviations.map((s) => STRIDE[bits] * s),
    offsets: new Float32Array(values.length),
    moments: { mean: new Float32Array(values.length), square: new Float32Array(values.length), steps: 0 },
  }
}

/** The tables of a weight that are trained: of those of `bits` that it has. */
export function tablesOf(
  name: string,
  weight: BitPlaneWeight,
  bits: readonly number[],
  deviations: Float32Array,
): TrainedTable[] {
  return bits
    .filter((b) => b >= weight.seedBits && b <= weight.maxBits)
    .map((b) => createTrainedTable(name, b, lutOf(weight, b), deviations))
}

/**
 * One step of Adam on the offsets, and the table that comes of it.
 * @param accumulated f32 [rows, tableEntries(weight)]: gradient of the loss with respect to the entries of all tables
 */
export function trainTable(table: TrainedTable, accumulated: Float32Array, weight: BitPlaneWeight, learningRate: number): void {
  const size = 2 ** table.bits
  const [stride, offset] = [tableEntries(weight), tableOffset(weight, table.bits)]
  const gradient = new Float32Array(table.offsets.length)
  table.units.forEach((unit, row) => {
    for (let c = 0; c < size; c++) gradient[row * size + c] = unit * accumulated[row * stride + offset + c]
  })
  adamWStep(table.offsets, gradient, table.moments, { learningRate, betas: BETAS })
  writeTable(table)
}

/**
 * Writes what the offsets say into `values`. Where rows do not ascend, they are moved to the nearest ascending ones, and
 * the offsets with them: training goes on from what can be stored (projected gradient descent).
 */
export function writeTable({ bits, values, start, units, offsets }: TrainedTable): void {
  const size = 2 ** bits
  const row = new Float64Array(size)
  units.forEach((unit, r) => {
    const begin = r * size
    for (let c = 0; c < size; c++) row[c] = f16ToF32(start[begin + c]) + unit * offsets[begin + c]
    if (makeAscending(row) && unit > 0) {
      for (let c = 0; c < size; c++) offsets[begin + c] = (row[c] - f16ToF32(start[begin + c])) / unit
    }
    for (let c = 0; c < size; c++) values[begin + c] = f32ToF16(Math.min(Math.max(row[c], -MAX_F16), MAX_F16))
  })
}
