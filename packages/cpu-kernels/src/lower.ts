import {
  checkProgram,
  isBitPlanes,
  matrixShape,
  type Operator,
  type Program,
  rowWidth,
  UnsupportedError,
  type Weight,
  type Weights,
  weightsOf,
} from '@dpllm/core'
import { checkRows } from './check-rows.js'
import {
  activations,
  axes,
  floatTypes,
  type NativeOperator,
  type NativeProgramDescription,
  type NativeValue,
  type NativeWeight,
  NONE,
} from './native-types.js'

/** A program in numbers, and the numbers of its names. */
export interface LoweredProgram {
  readonly description: NativeProgramDescription
  readonly valueIndex: ReadonlyMap<string, number>
  /** Weights of the select operators, in order. */
  readonly selects: readonly string[]
}

const elementBytes = { f32: 4, u32: 4, u8: 1 }

/**
 * Checks a program with its weights and writes it in numbers, as the addon takes it.
 * @throws InvalidArgumentError if shapes or weights do not fit, UnsupportedError for a program of gradients
 */
export function lowerProgram(program: Program, weights: Weights): LoweredProgram {
  checkProgram(program, weights)
  if (program.inputs?.length) throw new UnsupportedError('the CPU backend does not run programs with inputs yet')
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
  const selects = program.operators.flatMap((op) => (op.kind === 'select' ? [op.weight] : []))
  let selectIndex = 0
  const operators = program.operators.map((op) => {
    const value = (name: string | undefined) => (name === undefined ? NONE : valueIndex.get(name)!)
    const weight = (name: string | undefined) => (name === undefined ? NONE : weightIndex.get(name)!)
    return lowerOperator(op, value, weight, op.kind === 'select' ? selectIndex++ : NONE)
  })
  return {
    description: {
      values: Object.values(program.values).map(lowerValue),
      weights: lowered,
      operators,
      cacheWidths: Int32Array.from(program.caches, (c) => c.width),
    },
    valueIndex,
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

/** Weights that are used element by element. */
function vectorWeights(op: Operator): string[] {
  switch (op.kind) {
    case 'rmsNorm':
      return [op.weight]
    case 'linear':
      return op.bias === undefined ? [] : [op.bias]
    case 'rope':
      return [op.frequencies]
    default:
      return []
  }
}

type Index = (name: string | undefined) => number

function lowerOperator(op: Operator, value: Index, weight: Index, index: number): NativeOperator {
  const { kind } = op
  switch (kind) {
    case 'embed':
      return { kind, table: weight(op.table), out: value(op.out) }
    case 'rmsNorm':
      return { kind, x: value(op.x), weight: weight(op.weight), eps: op.eps, out: value(op.out) }
    case 'linear':
      return { kind, x: value(op.x), weight: weight(op.weight), bias: weight(op.bias), bits: value(op.bits), out: value(op.out) }
    case 'select':
      return { kind, x: value(op.x), weight: weight(op.weight), bits: value(op.bits), estimate: value(op.estimate), index }
    case 'rope':
      if (op.transposed) throw unsupported('transposed rope')
      return {
        kind,
        x: value(op.x),
        frequencies: weight(op.frequencies),
        headDim: op.headDim,
        scale: op.scale,
        out: value(op.out),
      }
    case 'attention': {
      const { layer, heads, kvHeads, headDim, scale, window = 0 } = op
      return {
        kind,
        q: value(op.q),
        k: value(op.k),
        v: value(op.v),
        layer,
        heads,
        kvHeads,
        headDim,
        scale,
        window,
        out: value(op.out),
      }
    }
    case 'gate':
      return { kind, gate: value(op.gate), up: value(op.up), activation: activations[op.activation], out: value(op.out) }
    case 'add':
      return { kind, a: value(op.a), b: value(op.b), out: value(op.out) }
    case 'split':
      return { kind, x: value(op.x), outs: Int32Array.from(op.outs, value) }
    case 'take':
      return { kind, x: value(op.x), out: value(op.out) }
    case 'crossEntropy':
      return { kind, logits: value(op.logits), out: value(op.out) }
    default:
      throw unsupported(kind)
  }
}

function unsupported(kind: string): UnsupportedError {
  return new UnsupportedError(`the CPU backend has no ${kind} operator yet: use the reference backend`)
}
