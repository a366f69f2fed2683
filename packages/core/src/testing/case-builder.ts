import type { Step } from '../backend/backend.js'
import type { Operator } from '../program/operators.js'
import type { Dimension, Program, ValueInfo } from '../program/program.js'
import type { Weight, Weights } from '../program/weights.js'
import type { Tensor } from '../tensor.js'
import type { Tolerance } from './tolerance.js'

/**
 * One case of the table that tests every backend against the reference and is the list of benchmarks: a program
 * around one operator, its weights, and the steps to run on one cache.
 */
export interface OperatorCase {
  readonly name: string
  readonly program: Program
  readonly weights: Weights
  readonly capacity: number
  readonly steps: readonly Omit<Step, 'cache'>[]
  readonly tolerance: Tolerance
}

/** Inputs of a case as weights: a table whose row t is what token t feeds to the operator. */
export interface CaseParts {
  /** x tables by value name, f32 [T, width]: value `name` of the program is row t for token t. */
  readonly inputs: Readonly<Record<string, Tensor<'f32'>>>
  /** Widths of the values that `operators` write; the last one named, if there is one, is the output. */
  readonly outs: Readonly<Record<string, { width: number; rows?: Dimension; dtype?: ValueInfo['dtype'] }>>
  readonly operators: readonly Operator[]
  readonly weights?: Readonly<Record<string, Weight>>
  readonly caches?: Program['caches']
  readonly accumulators?: Program['accumulators']
  /** Values that the steps give as they are (`Step.inputs`). */
  readonly given?: Readonly<Record<string, ValueInfo>>
  readonly steps?: readonly Partial<Omit<Step, 'cache'>>[]
  readonly capacity?: number
  readonly tolerance: Tolerance
}

/** Builds a case: every input becomes an embedding of the step's tokens, which are the row numbers. */
export function operatorCase(name: string, parts: CaseParts): OperatorCase {
  const values: Record<string, ValueInfo> = {
    tokens: { dtype: 'u32', shape: ['T'] },
    rows: { dtype: 'u32', shape: ['R'] },
    targets: { dtype: 'u32', shape: ['R'] },
    ...parts.given,
  }
  const weights = new Map<string, Weight>(Object.entries(parts.weights ?? {}))
  const operators: Operator[] = []
  let count = 0
  for (const [input, table] of Object.entries(parts.inputs)) {
    values[input] = { dtype: 'f32', shape: ['T', table.shape[1]] }
    weights.set(`table.${input}`, table)
    operators.push({ kind: 'embed', tokens: 'tokens', table: `table.${input}`, out: input })
    count = table.shape[0]
  }
  for (const [out, { width, rows = 'T', dtype = 'f32' }] of Object.entries(parts.outs)) {
    const shape: Dimension[] = width === 1 ? [rows] : [rows, width]
    values[out] = { dtype, shape }
  }
  operators.push(...parts.operators)
  const output = Object.keys(parts.outs).slice(-1)
  const steps = (parts.steps ?? [{}]).map((step) => ({
    tokens: Uint32Array.from({ length: count }, (_, t) => t),
    position: 0,
    outputs: output,
    ...step,
  }))
  return {
    name,
    program: {
      values,
      operators,
      caches: parts.caches ?? [],
      ...(parts.given ? { inputs: Object.keys(parts.given) } : {}),
      ...(parts.accumulators ? { accumulators: parts.accumulators } : {}),
    },
    weights,
    capacity: parts.capacity ?? Math.max(...steps.map((s) => s.position + s.tokens.length)),
    steps,
    tolerance: parts.tolerance,
  }
}
