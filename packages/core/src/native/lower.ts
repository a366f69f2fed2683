import { checkProgram } from '../program/check.js'
import { weightsOf } from '../program/operators.js'
import type { Program } from '../program/program.js'
import { rowWidth } from '../program/shape-checks.js'
import { isBitPlanes, matrixShape, type Weight, type Weights } from '../program/weights.js'
import { checkRows } from './check-rows.js'
import { axes, floatTypes, type NativeProgramDescription, type NativeValue, type NativeWeight, NONE } from './description.js'
import { lowerOperator, vectorWeights } from './lower-operator.js'

/** A program in numbers, and the numbers of its names. */
export interface LoweredProgram {
  readonly description: NativeProgramDescription
  readonly valueIndex: ReadonlyMap<string, number>
  readonly weightIndex: ReadonlyMap<string, number>
  readonly accumulatorIndex: ReadonlyMap<string, number>
  /** Weights of the select operators, in order. */
  readonly selects: readonly string[]
}

const elementBytes = { f32: 4, u32: 4, u8: 1 }

/**
 * Checks a program with its weights and writes it in numbers, as the addon takes it.
 * @throws InvalidArgumentError if shapes or weights do not fit
 */
export function lowerProgram(program: Program, weights: Weights): LoweredProgram {
  checkProgram(program, weights)
  checkRows(program)
  const valueIndex = new Map(Object.keys(program.values).map((name, index) => [name, index]))
  const vectors = new Set(program.operators.flatMap(vectorWeights))
  const weightIndex = new Map<string, number>()
  const lowered: NativeWeight[] = []
  for (const name of program.operators.flatMap(weightsOf)) {
    if (weightIndex.has(name)) continue
    weightIndex.set(name, lowered.length)
    lowered.push(lowerWeight(weights.get(name)!, vectors.has(name)))
  }
  const accumulators = program.accumulators ?? []
  const accumulatorIndex = new Map(accumulators.map(({ name }, index) => [name, index]))
  const selects = program.operators.flatMap((op) => (op.kind === 'select' ? [op.weight] : []))
  let selectIndex = 0
  const index = {
    value: (name: string | undefined) => (name === undefined ? NONE : valueIndex.get(name)!),
    weight: (name: string | undefined) => (name === undefined ? NONE : weightIndex.get(name)!),
    accumulator: (name: string) => accumulatorIndex.get(name)!,
    select: () => selectIndex++,
  }
  return {
    description: {
      values: Object.values(program.values).map(lowerValue),
      weights: lowered,
      operators: program.operators.map((op) => lowerOperator(op, index)),
      inputs: Int32Array.from(program.inputs ?? [], (name) => valueIndex.get(name)!),
      cacheWidths: Int32Array.from(program.caches, (c) => c.width),
      accumulators: accumulators.map(({ shape: [rows, cols] }) => ({ rows, cols })),
    },
    valueIndex,
    weightIndex,
    accumulatorIndex,
    selects,
  }
}

function lowerValue({ dtype, shape }: Program['values'][string]): NativeValue {
  const [first = 1] = shape
  const symbolic = typeof first === 'string'
  return {
    elementBytes: elementBytes[dtype],
    axis: symbolic ? axes[first] : axes.constant,
    constant: symbolic ? 0 : first,
    width: rowWidth(shape),
  }
}

function lowerWeight(weight: Weight, vector: boolean): NativeWeight {
  const [rows, cols] = matrixShape(weight)
  if (isBitPlanes(weight)) {
    const { seedBits, maxBits, planes, luts } = weight
    return { rows, cols, seedBits, maxBits, planes, luts }
  }
  return { rows, cols, type: floatTypes[weight.dtype], data: weight.data, vector }
}
