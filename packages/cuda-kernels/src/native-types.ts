/**
 * What the addon exports: the one description of the surface between this package's TypeScript and its C++
 * (native/addon). Values, weights and operators are indices; names end in lower.ts. Nothing is checked on the other
 * side, so everything given must be valid. Errors name the call of the CUDA runtime that failed.
 */
export interface NativeAddon {
  /** Throws where CUDA cannot be used: no driver, an old one, no device. */
  devices(): NativeDevice[]
  /** Device memory that the programs, caches and estimators of this process hold. */
  allocatedBytes(): number
  /** Copies the weights to the device. */
  compile(settings: NativeSettings, description: NativeProgramDescription): Promise<NativeProgram>
  /** Frees what the program holds, once no step of it is running. */
  disposeProgram(program: NativeProgram): void
  /** Copies these weights, by index, anew. Not while a step of this program runs. */
  updateWeights(program: NativeProgram, weights: Int32Array): Promise<void>
  createPlan(plan: NativePlanDescription): NativePlan
  createEstimators(program: NativeProgram, estimators: readonly NativeEstimator[]): NativeEstimators
  createCache(program: NativeProgram, capacity: number): NativeCache
  disposeCache(cache: NativeCache): void
  /** Copies an accumulator, by its index, to an array of its size, or from it; like `run`, one call at a time. */
  readAccumulator(program: NativeProgram, index: number, data: Float32Array): Promise<void>
  writeAccumulator(program: NativeProgram, index: number, data: Float32Array): Promise<void>
  /** Fills the step's arrays; must not be called again for this program before the promise is settled. */
  run(program: NativeProgram, step: NativeStep): Promise<void>
}

declare const handle: unique symbol
/** A native object: opaque, kept until collected or disposed. */
interface Handle<Name extends string> {
  readonly [handle]: Name
}
export type NativeProgram = Handle<'program'>
export type NativePlan = Handle<'plan'>
export type NativeEstimators = Handle<'estimators'>
export type NativeCache = Handle<'cache'>

/** Numbers of the enumerations in native/kernels/types.h and native/program. */
export const floatTypes = { f32: 0, f16: 1, bf16: 2 } as const
export const axes = { constant: 0, T: 1, R: 2 } as const
export const activations = { silu: 0, gelu: 1, geluTanh: 2 } as const
export const estimatorKinds = { none: 0, exact: 1, projection: 2, linear: 3, probe: 4 } as const
/** In place of the index of an operand that an operator does not have. */
export const NONE = -1

export interface NativeDevice {
  readonly name: string
  readonly memoryBytes: number
  /** "9.0", say. */
  readonly computeCapability: string
  readonly multiprocessors: number
}

export interface NativeSettings {
  readonly device: number
  /** A `floatTypes` number, f32 or f16. */
  readonly cacheType: number
  /** 1: steps that are alike are recorded once and launched as one graph. */
  readonly graphs: 0 | 1
}

export interface NativeValue {
  readonly elementBytes: number
  readonly axis: number
  /** Length of the first dimension where `axis` is constant. */
  readonly constant: number
  /** Elements of one row: the product of the other dimensions. */
  readonly width: number
}

export type NativeWeight =
  | { readonly rows: number; readonly cols: number; readonly type: number; readonly data: Float32Array | Uint16Array }
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
  /** Values that are copied back; inputs are not. */
  readonly outputs: Int32Array
}

export type NativeEstimator =
  | { readonly kind: 0 }
  | { readonly kind: 1; readonly low: number; readonly high: number }
  | { readonly kind: 2; readonly matrix: Float32Array; readonly rows: number }
  | { readonly kind: 3; readonly slope: number; readonly intercept: number }
  | { readonly kind: 4; readonly weights: Float32Array; readonly bias: number }

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
  /** Of the program's inputs, in order. */
  readonly inputs: readonly Float32Array[]
  /** Of the plan's outputs, in order. */
  readonly outputs: readonly Float32Array[]
  /** u8 [selects, T] and f32 [selects, T]. */
  readonly bits: Uint8Array
  readonly estimates: Float32Array
}
