import { type BitPlaneWeight, tableEntries } from '../bit-planes/weight.js'
import { InvalidArgumentError } from '../errors.js'
import type { Dimension, Program } from './program.js'
import { isBitPlanes, matrixShape, type Weights } from './weights.js'

/** What is asked of an operator's values and weights, which are there. */
export interface ShapeChecks {
  /** Elements of one row of a value. */
  width(value: string): number
  /** First dimension of a value. */
  rows(value: string): Dimension | undefined
  /** [rows, cols] of a weight. */
  shape(weight: string): [rows: number, cols: number]
  /** @throws InvalidArgumentError naming the operator and `what`, unless found is wanted */
  same(what: string, found: unknown, wanted: unknown): void
  /** @throws InvalidArgumentError if a weight is bit-planes */
  dense(weight: string): void
  /** @throws InvalidArgumentError if a weight is dense, or cannot be read at one of `bits` */
  bitPlanes(weight: string, ...bits: number[]): void
  /** Entries of the tables of all bit counts of one row of bit-planes. */
  tableEntries(weight: string): number
}

/** @param where names the operator in errors */
export function createShapeChecks(where: string, program: Program, weights: Weights): ShapeChecks {
  const kind = (weight: string, wanted: boolean) => {
    const names = ['a dense weight', 'bit-planes']
    if (isBitPlanes(weights.get(weight)!) !== wanted)
      throw new InvalidArgumentError(`${where}: ${weight}`, names[Number(wanted)], names[Number(!wanted)])
  }
  return {
    width: (value) => rowWidth(program.values[value]?.shape ?? []),
    rows: (value) => program.values[value]?.shape[0],
    shape: (weight) => matrixShape(weights.get(weight)!),
    same: (what, found, wanted) => {
      if (found !== wanted) throw new InvalidArgumentError(`${where}: ${what}`, String(wanted), found)
    },
    dense: (weight) => kind(weight, false),
    bitPlanes: (name, ...bits) => {
      kind(name, true)
      const { seedBits, maxBits } = weights.get(name) as BitPlaneWeight
      const wrong = bits.find((b) => !(Number.isInteger(b) && b >= seedBits && b <= maxBits))
      if (wrong !== undefined)
        throw new InvalidArgumentError(`${where}: bits of ${name}`, `an integer from ${seedBits} to ${maxBits}`, wrong)
    },
    tableEntries: (weight) => tableEntries(weights.get(weight) as BitPlaneWeight),
  }
}

/** Elements of one row: the product of all dimensions but the first. */
export function rowWidth(shape: readonly Dimension[]): number {
  return shape.slice(1).reduce<number>((n, d) => n * (d as number), 1)
}
