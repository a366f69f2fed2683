import type { NativeBinding, NativeHandle, NativeProgram, NativeProgramDescription } from '@dpllm/core/native'

/** What the addon exports: the one description of the surface between this package's TypeScript and its C++ (native/addon). */
export interface NativeAddon extends NativeBinding {
  /** Instruction sets of the build that this machine has, best first. */
  instructions(): string[]
  /** `activationBits`: 8 (fast) or 16 (precise). `cacheType`: a `floatTypes` number, f32 or f16. Throws if there is no such instruction set. */
  createBackend(instructions: string, threads: number, activationBits: 8 | 16, cacheType: number): NativeBackend
  /** Ends the backend's threads; the step that is running stops at its next operator and fails. */
  disposeBackend(backend: NativeBackend): void
  compile(backend: NativeBackend, description: TimedProgramDescription): NativeProgram
  /** Fills the task's planes and tables. */
  quantizeRows(task: NativeQuantizeRows): Promise<void>
  /** Fills the task's fitted tables. */
  refitRows(task: NativeRefitRows): Promise<void>
  /** An ArrayBuffer of undefined content on the boundary of a large page; throws if there is no memory. */
  allocate(bytes: number): ArrayBuffer
  /** Fills the task's milliseconds. */
  readMemory(task: NativeReadMemory): Promise<void>
}

export type NativeBackend = NativeHandle<'backend'>

export interface TimedProgramDescription extends NativeProgramDescription {
  /** By operator: every step adds the milliseconds that it took. Absent: not measured. */
  readonly times?: Float64Array
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
