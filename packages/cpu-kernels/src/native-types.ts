/**
 * What the addon exports: the one description of the surface between this package's TypeScript and its C++
 * (native/addon). Values, weights and operators are indices; names end in lower.ts. Nothing is checked on the other
 * side, so everything given must be valid.
 */
export interface NativeAddon {
  /** Instruction sets of the build that this machine has, best first. */
  instructions(): string[]
  /** `activationBits`: 8 (fast) or 16 (precise). `cacheType`: a `floatTypes` number, f32 or f16. Throws if there is no such instruction set. */
  createBackend(instructions: string, threads: number, activationBits: 8 | 16, cacheType: number): NativeBackend
  /** Ends the backend's threads; the step that is running stops at its next operator and fails. */
  disposeBackend(backend: NativeBackend): void
  compile(backend: NativeBackend, description: NativeProgramDescription): NativeProgram
  /** Frees what the program holds, once no step of it is running. */
  disposeProgram(program: NativeProgram): void
  createPlan(plan: NativePlanDescription): NativePlan
  createEstimators(estimators: readonly NativeEstimator[]): NativeEstimators
  createCache(program: NativeProgram, capacity: number): NativeCache
  disposeCache(cache: NativeCache): void
  /** Fills the step's arrays; must not be called again for this program before the promise is settled. */
  run(program: NativeProgram, step: NativeStep): Promise<void>
  /** Copies an accumulator, by its index, to an array of its size, or from it; like `run`, one call at a time. */
  readAccumulator(program: NativeProgram, index: number, data: Float32Array): Promise<void>
  writeAccumulator(program: NativeProgram, index: number, data: Float32Array): Promise<void>
  /** Makes anew what is derived from these weights, by index. Not while a step of this program runs. */
  updateWeights(program: NativeProgram, weights: Int32Array): void
  /** Fills the task's planes and tables. */
  quantizeRows(task: NativeQuantizeRows): Promise<void>
  /** Fills the task's fitted tables. */
  refitRows(task: NativeRefitRows): Promise<void>
  /** An ArrayBuffer of undefined content on the boundary of a large page; throws if there is no memory. */
  allocate(bytes: number): ArrayBuffer
  /** Fills the task's milliseconds. */
  readMemory(task: NativeReadMemory): Promise<void>
}

declare const handle: unique symbol
/** A native object: opaque, kept until collected or disposed. */
interface Handle<Name extends string> {
  readonly [handle]: Name
}
export type NativeBackend = Handle<'backend'>
export type NativeProgram = Handle<'program'>
export type NativePlan = Handle<'plan'>
export type NativeEstimators = Handle<'estimators'>
export type NativeCache = Handle<'cache'>

/** Numbers of the enumerations in native/kernels/kernels.h and native/program/program.h. */
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
      /** Used element by element (a norm, a bias, frequencies): widened to f32 when compiled. */
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
  /** By operator: every step adds the milliseconds that it took. Absent: not measured. */
  readonly times?: Float64Array
}

/** What a step with certain outputs runs, and where its values live. */
export interface NativePlanDescription {
  /** Indices of operators, in order. */
  readonly operators: Int32Array
  /** For every value its slot of the arena, or NONE. */
  readonly slotOf: Int32Array
  readonly slots: readonly { readonly axis: number; readonly rowBytes: number }[]
}

export type NativeEstimator =
  | { readonly kind: 0 }
  | { readonly kind: 1; readonly low: number; readonly high: number }
  | { readonly kind: 2; readonly matrix: Float32Array; readonly rows: number }
  | { readonly kind: 3; readonly slope: number; readonly intercept: number }
  | { readonly kind: 4; readonly weights: Float32Array; readonly bias: number }

export interface PlacedValue {
  readonly value: number
  readonly data: Float32Array
}

/** Arrays are read, or filled, while the step runs. */
export interface NativeStep {
  readonly plan: NativePlan
  readonly cache: NativeCache
  readonly tokens: Uint32Array
  readonly position: number
  readonly rows: Uint32Array
  readonly targets: Uint32Array | undefined
  readonly estimators: NativeEstimators | undefined
  readonly thresholds: Float32Array | undefined
  /** Values whose arrays are given; an input that is an output, too, is in both with the same array. */
  readonly inputs: readonly PlacedValue[]
  readonly outputs: readonly PlacedValue[]
  /** u8 [selects, T] and f32 [selects, T], all zero. */
  readonly bits: Uint8Array
  readonly estimates: Float32Array
}

export interface NativeQuantizeRows {
  /** f32 [rows, cols], finite. */
  readonly weights: Float32Array
  /** f32 [rows, cols], finite and not negative; absent for 1 everywhere. */
  readonly sensitivities?: Float32Array | undefined
  readonly rows: number
  readonly cols: number
  readonly seedBits: number
  readonly maxBits: number
  /** u32 [maxBits, rows, ceil(cols / 32)], all zero. */
  readonly planes: Uint32Array
  /** luts[b − seedBits]: f16 [rows, 2^b]. */
  readonly luts: readonly Uint16Array[]
  readonly threads: number
}

export interface NativeRefitRows {
  /** f32 [cols, cols], symmetric and finite. */
  readonly covariance: Float32Array
  /** f32 [count, cols]: the original rows from `first`. */
  readonly weights: Float32Array
  /** u32 [at least the most bits, rows, ceil(cols / 32)]. */
  readonly planes: Uint32Array
  readonly rows: number
  readonly cols: number
  readonly first: number
  readonly count: number
  /** By ascending bits: `old` f16 [rows, 2^bits], finite, and `fitted` f16 [count, 2^bits]. */
  readonly tables: readonly { readonly bits: number; readonly old: Uint16Array; readonly fitted: Uint16Array }[]
  readonly threads: number
}

export interface NativeReadMemory {
  readonly spans: readonly Uint8Array[]
  /** f64 [1] */
  readonly milliseconds: Float64Array
  readonly threads: number
}
