import type { GradientOperator } from '../program/gradient-operators.js'
import type { Operator } from '../program/operators.js'
import { activations, type NativeOperator } from './description.js'

/** The numbers of an operator's names; NONE for operands that it does not have. */
export interface OperandIndex {
  value(name: string | undefined): number
  weight(name: string | undefined): number
  accumulator(name: string): number
  /** Number of the select operator that is lowered. */
  select(): number
}

/** Weights that are used element by element: native code may widen them to f32. */
export function vectorWeights(op: Operator): string[] {
  switch (op.kind) {
    case 'rmsNorm':
    case 'rmsNormGradient':
      return [op.weight]
    case 'linear':
    case 'mixedLinear':
      return op.bias === undefined ? [] : [op.bias]
    case 'rope':
      return [op.frequencies]
    default:
      return []
  }
}

/** Writes an operator as the addon takes it. */
export function lowerOperator(op: Operator, index: OperandIndex): NativeOperator {
  const { value, weight } = index
  const { kind } = op
  switch (kind) {
    case 'embed':
      return { kind, tokens: value(op.tokens), table: weight(op.table), out: value(op.out) }
    case 'rmsNorm':
      return { kind, x: value(op.x), weight: weight(op.weight), eps: op.eps, out: value(op.out) }
    case 'linear':
      return { kind, x: value(op.x), weight: weight(op.weight), bias: weight(op.bias), bits: value(op.bits), out: value(op.out) }
    case 'select': {
      const [bits, estimate] = [op.bits, op.estimate].map(value)
      return { kind, x: value(op.x), weight: weight(op.weight), bits, estimate, index: index.select() }
    }
    case 'rope': {
      const { headDim, scale, transposed } = op
      const frequencies = weight(op.frequencies)
      return { kind, x: value(op.x), frequencies, headDim, scale, transposed: Number(transposed ?? false), out: value(op.out) }
    }
    case 'attention': {
      const { layer, heads, kvHeads, headDim, scale, window = 0 } = op
      const [q, k, v, out] = [op.q, op.k, op.v, op.out].map(value)
      return { kind, q, k, v, layer, heads, kvHeads, headDim, scale, window, out }
    }
    case 'gate':
      return { kind, gate: value(op.gate), up: value(op.up), activation: activations[op.activation], out: value(op.out) }
    case 'add':
      return { kind, a: value(op.a), b: value(op.b), out: value(op.out) }
    case 'split':
      return { kind, x: value(op.x), outs: Int32Array.from(op.outs, value) }
    case 'take':
      return { kind, x: value(op.x), rows: value(op.rows), out: value(op.out) }
    case 'crossEntropy':
      return { kind, logits: value(op.logits), targets: value(op.targets), out: value(op.out) }
    default:
      return lowerGradientOperator(op, index)
  }
}

function lowerGradientOperator(op: GradientOperator, { value, weight, accumulator }: OperandIndex): NativeOperator {
  const { kind } = op
  switch (kind) {
    case 'linearTransposed':
      return { kind, dy: value(op.dy), weight: weight(op.weight), bits: value(op.bits), out: value(op.out) }
    case 'rmsNormGradient':
      return { kind, x: value(op.x), dy: value(op.dy), weight: weight(op.weight), eps: op.eps, out: value(op.out) }
    case 'attentionGradient': {
      const { heads, kvHeads, headDim, scale, window = 0 } = op
      const [q, k, v, dy, dq, dk, dv] = [op.q, op.k, op.v, op.dy, op.dq, op.dk, op.dv].map(value)
      return { kind, q, k, v, dy, heads, kvHeads, headDim, scale, window, dq, dk, dv }
    }
    case 'gateGradient': {
      const [gate, up, dy, dGate, dUp] = [op.gate, op.up, op.dy, op.dGate, op.dUp].map(value)
      return { kind, gate, up, dy, activation: activations[op.activation], dGate, dUp }
    }
    case 'concat':
      return { kind, xs: Int32Array.from(op.xs, value), out: value(op.out) }
    case 'put':
      return { kind, x: value(op.x), rows: value(op.rows), out: value(op.out) }
    case 'crossEntropyGradient':
      return { kind, logits: value(op.logits), targets: value(op.targets), scale: op.scale, out: value(op.out) }
    case 'klDivergence':
      return { kind, logits: value(op.logits), teacher: value(op.teacher), out: value(op.out) }
    case 'klDivergenceGradient':
      return { kind, logits: value(op.logits), teacher: value(op.teacher), scale: op.scale, out: value(op.out) }
    case 'accumulate':
      return { kind, x: value(op.x), dy: value(op.dy), squares: Number(op.mode === 'squares'), into: accumulator(op.into) }
    case 'accumulateTables': {
      const [x, dy, bits] = [op.x, op.dy, op.bits].map(value)
      return { kind, x, dy, weight: weight(op.weight), bits, into: accumulator(op.into) }
    }
    case 'mixedLinear': {
      const [x, averageBits, out] = [op.x, op.averageBits, op.out].map(value)
      return { kind, x, weight: weight(op.weight), bias: weight(op.bias), averageBits, out }
    }
    case 'mixedLinearTransposed':
      return { kind, dy: value(op.dy), weight: weight(op.weight), averageBits: value(op.averageBits), out: value(op.out) }
    case 'bitsGradient': {
      const [x, dy, averageBits, out] = [op.x, op.dy, op.averageBits, op.out].map(value)
      return { kind, x, dy, weight: weight(op.weight), averageBits, out }
    }
    case 'tokenErrors': {
      const [x, dy, out] = [op.x, op.dy, op.out].map(value)
      return { kind, x, dy, weight: weight(op.weight), low: op.low, high: op.high, out }
    }
  }
}
