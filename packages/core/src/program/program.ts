import type { Operator } from './operators.js'

/** T: tokens of a step. R: rows of a step whose logits (or losses) are wanted. */
export type Dimension = number | 'T' | 'R'

/** A named value of a program: an activation. Weights are not values; operators name them directly. */
export interface ValueInfo {
  readonly dtype: 'f32' | 'u32' | 'u8'
  readonly shape: readonly Dimension[]
}

/**
 * A model written once, as data: values and an ordered list of operators over them. Backends compile it and run
 * it for any T: T = 1 decodes, large T is prefill.
 */
export interface Program {
  readonly values: Readonly<Record<string, ValueInfo>>
  readonly operators: readonly Operator[]
  /** One key/value cache per attention operator, by its `layer`: rows of `width` = kvHeads · headDim. */
  readonly caches: readonly { readonly width: number }[]
  /** Further f32 values that a step gives (`Step.inputs`): a part of a model reads its residual stream here. */
  readonly inputs?: readonly string[]
  /** f32 [rows, cols] sums that outlive steps: what `accumulate` adds to. */
  readonly accumulators?: readonly Accumulator[]
}

export interface Accumulator {
  readonly name: string
  readonly shape: readonly [rows: number, cols: number]
}

/** Values that every step gives; a program declares those that it reads. */
export const programInputs = ['tokens', 'rows', 'targets'] as const
