import type { CheckedStep } from '../backend/step.js'
import type { BitPlaneWeight } from '../bit-planes/weight.js'
import type { GradientOperator } from '../program/gradient-operators.js'
import type { Weight } from '../program/weights.js'
import { attentionGradient } from './attention-gradient.js'
import type { Floats } from './floats.js'
import { klDivergence, klDivergenceGradient } from './kl-divergence.js'
import type { DenseWeights } from './linear.js'
import { accumulate, accumulateTables, linearTransposed } from './linear-gradient.js'
import { bitsGradient, mixedLinear, mixedLinearTransposed } from './mixed-linear.js'
import { concat, crossEntropyGradient, gateGradient, put, rmsNormGradient } from './operator-gradients.js'
import { tokenErrors } from './token-errors.js'

/** What an operator finds in the step that is running. */
export interface Execution {
  readonly dense: DenseWeights
  readonly step: CheckedStep
  /** A value that was written before. */
  value(name: string): Floats
  /** The zeros that become a value. */
  make(name: string): Floats
  weight(name: string): Weight
  /** u8[T] of a bits value. */
  bitsOf(name: string | undefined): Uint8Array | undefined
  /** Rows of a value in this step. */
  rowsOf(name: string): number
  accumulator(name: string): Floats
}

/** Runs one operator of a gradient program. */
export function executeGradient(op: GradientOperator, e: Execution): void {
  const { dense, step, value, make, weight, bitsOf, rowsOf, accumulator } = e
  const bitPlanes = (name: string) => weight(name) as BitPlaneWeight
  switch (op.kind) {
    case 'linearTransposed':
      linearTransposed(dense, weight(op.weight), value(op.dy), bitsOf(op.bits), make(op.out), rowsOf(op.dy))
      break
    case 'rmsNormGradient':
      rmsNormGradient(value(op.x), value(op.dy), dense.get(weight(op.weight)), op.eps, make(op.out))
      break
    case 'attentionGradient': {
      const [q, k, v, dy] = [op.q, op.k, op.v, op.dy].map(value)
      attentionGradient(op, q, k, v, dy, step.tokens.length, make(op.dq), make(op.dk), make(op.dv))
      break
    }
    case 'gateGradient':
      gateGradient(value(op.gate), value(op.up), value(op.dy), op.activation, make(op.dGate), make(op.dUp))
      break
    case 'concat':
      concat(op.xs.map(value), rowsOf(op.out), make(op.out))
      break
    case 'put':
      put(value(op.x), step.rows, value(op.x).length / step.rows.length, make(op.out))
      break
    case 'crossEntropyGradient':
      crossEntropyGradient(value(op.logits), step.targets!, op.scale, make(op.out))
      break
    case 'klDivergence':
      klDivergence(value(op.logits), value(op.teacher), make(op.out))
      break
    case 'klDivergenceGradient':
      klDivergenceGradient(value(op.logits), value(op.teacher), step.rows.length, op.scale, make(op.out))
      break
    case 'accumulateTables': {
      const into = accumulator(op.into)
      accumulateTables(bitPlanes(op.weight), value(op.x), value(op.dy), bitsOf(op.bits), into, rowsOf(op.x))
      break
    }
    case 'accumulate':
      accumulate(value(op.x), value(op.dy), op.mode, accumulator(op.into), rowsOf(op.x))
      break
    case 'mixedLinear': {
      const bias = op.bias === undefined ? undefined : weight(op.bias)
      const [p] = value(op.averageBits)
      mixedLinear(dense, bitPlanes(op.weight), bias, value(op.x), p, make(op.out), rowsOf(op.x))
      break
    }
    case 'mixedLinearTransposed': {
      const [p] = value(op.averageBits)
      mixedLinearTransposed(dense, bitPlanes(op.weight), value(op.dy), p, make(op.out), rowsOf(op.dy))
      break
    }
    case 'bitsGradient': {
      const [p] = value(op.averageBits)
      make(op.out)[0] = bitsGradient(dense, bitPlanes(op.weight), value(op.x), value(op.dy), p, rowsOf(op.x))
      break
    }
    case 'tokenErrors': {
      const weights = [op.low, op.high].map((bits) => dense.get(bitPlanes(op.weight), bits)) as [Float32Array, Float32Array]
      tokenErrors(weights, value(op.x), value(op.dy), make(op.out), rowsOf(op.x))
    }
  }
}
