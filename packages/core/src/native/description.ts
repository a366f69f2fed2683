// Programs, plans and estimators as native code takes them: values, weights and operators are indices, names end in lower.ts.
/** Numbers of the enumerations in the native kernels and programs. */
export const floatTypes = { f32: 0, f16: 1, bf16: 2 } as const
export const axes = { constant: 0, T: 1, R: 2 } as const
export const activations = { silu: 0, gelu: 1, geluTanh: 2 } as const
export const estimatorKinds = { none: 0, exact: 1, projection: 2, linear: 3, probe: 4 } as const
/** In place of the index of an operand that an operator does not have. */
export const NONE = -1

export interface NativeValue {
  readonly elementBytes: number
  readonly axis: number
  /** Length of the first dimension where `axis` is constant. */
  readonly constant: number
  /** Elements of one row: the product of the other dimensions. */
  readonly width: number
}

export type NativeWeight =
  | {
      readonly rows: number
      readonly cols: number
      readonly type: number
      readonly data: Float32Array | Uint16Array
      /** Used element by element: a norm, a bias, frequencies. */
      readonly vector: boolean
    }
  | {
      readonly rows: number
      readonly cols: number
      readonly seedBits: number
      readonly maxBits: number
      readonly planes: Uint32Array
      readonly luts: readonly Uint16Array[]
    }

/** `kind` of core's operator, and its fields with indices for names. */
export type NativeOperator = { readonly kind: string } & Readonly<Record<string, number | string | Int32Array>>

export interface NativeProgramDescription {
  readonly values: readonly NativeValue[]
  readonly weights: readonly NativeWeight[]
  readonly operators: readonly NativeOperator[]
  readonly cacheWidths: Int32Array
  readonly accumulators: readonly { readonly rows: number; readonly cols: number }[]
  /** Values that every step gives. */
  readonly inputs: Int32Array
}

/** What a step with certain outputs runs, and where its values live. */
export interface NativePlanDescription {
  /** Indices of operators, in order. */
  readonly operators: Int32Array
  /** For every value its slot of the arena, or NONE. */
  readonly slotOf: Int32Array
  readonly slots: readonly { readonly axis: number; readonly rowBytes: number }[]
  /** Values that the step gives back; inputs that are wanted back are not among them. */
  readonly outputs: Int32Array
}

export type NativeEstimator =
  | { readonly kind: 0 }
  | { readonly kind: 1; readonly low: number; readonly high: number }
  | { readonly kind: 2; readonly matrix: Float32Array; readonly rows: number }
  | { readonly kind: 3; readonly slope: number; readonly intercept: number }
  | { readonly kind: 4; readonly weights: Float32Array; readonly bias: number }
