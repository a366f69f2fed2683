import type { Dimension, Operator, Program, ValueInfo } from '@dpllm/core'

/** A weight that a program reads: its name, which is the checkpoint's tensor name, and shape. */
export interface WeightSpec {
  readonly name: string
  readonly shape: readonly number[]
}

/** Collects values, operators and weights while a model is written down. */
export interface ProgramBuilder {
  /** Declares a value of `width` f32 for each row and returns its name. */
  value(name: string, width: number, rows?: 'T' | 'R'): string
  weight(name: string, ...shape: number[]): string
  push(op: Operator): void
  embed(table: string, vocabulary: number, width: number): string
  norm(name: string, x: string, weight: string, width: number, length: number, eps: number, rows?: 'T' | 'R'): string
  add(name: string, a: string, b: string, width: number): string
  finish(caches: Program['caches']): { program: Program; weights: WeightSpec[] }
}

export function createProgramBuilder(): ProgramBuilder {
  const values: Record<string, ValueInfo> = {
    tokens: { dtype: 'u32', shape: ['T'] },
    rows: { dtype: 'u32', shape: ['R'] },
    targets: { dtype: 'u32', shape: ['R'] },
  }
  const operators: Operator[] = []
  const weights = new Map<string, WeightSpec>()
  const value = (name: string, width: number, rows: Dimension = 'T') => {
    values[name] = { dtype: 'f32', shape: width === 1 ? [rows] : [rows, width] }
    return name
  }
  const weight = (name: string, ...shape: number[]) => {
    weights.set(name, { name, shape })
    return name
  }
  return {
    value,
    weight,
    push: (op) => {
      if (op.kind === 'select') {
        values[op.bits] = { dtype: 'u8', shape: ['T'] }
        values[op.estimate] = { dtype: 'f32', shape: ['T'] }
      }
      operators.push(op)
    },
    embed: (table, vocabulary, width) => {
      operators.push({ kind: 'embed', tokens: 'tokens', table: weight(table, vocabulary, width), out: value('embedding', width) })
      return 'embedding'
    },
    norm: (name, x, weightName, width, length, eps, rows = 'T') => {
      operators.push({ kind: 'rmsNorm', x, weight: weight(weightName, length), eps, out: value(name, width, rows) })
      return name
    },
    add: (name, a, b, width) => {
      operators.push({ kind: 'add', a, b, out: value(name, width) })
      return name
    },
    finish: (caches) => ({ program: { values, operators, caches }, weights: [...weights.values()] }),
  }
}
