import type { NativeEstimator, NativePlanDescription } from './description.js'

/**
 * What a compiled program needs of an addon. Nothing is checked on the other side, so everything given must be valid; calls
 * throw, or reject, with what failed there.
 */
export interface NativeBinding {
  /** Frees what the program holds, once no step of it is running. */
  disposeProgram(program: NativeProgram): void
  createPlan(plan: NativePlanDescription): NativePlan
  createEstimators(program: NativeProgram, estimators: readonly NativeEstimator[]): NativeEstimators
  createCache(program: NativeProgram, capacity: number): NativeCache
  disposeCache(cache: NativeCache): void
  /** Fills the step's arrays; must not be called again for this program before the promise is settled. */
  run(program: NativeProgram, step: NativeStep): Promise<void>
  /** Copies an accumulator, by its index, to an array of its size, or from it; like `run`, one call at a time. */
  readAccumulator(program: NativeProgram, index: number, data: Float32Array): Promise<void>
  writeAccumulator(program: NativeProgram, index: number, data: Float32Array): Promise<void>
  /** Takes these weights, by index, anew. Not while a step of this program runs. */
  updateWeights(program: NativeProgram, weights: Int32Array): Promise<void> | void
}

declare const handle: unique symbol
/** A native object: opaque, kept until collected or disposed. */
export interface NativeHandle<Name extends string> {
  readonly [handle]: Name
}
export type NativeProgram = NativeHandle<'program'>
export type NativePlan = NativeHandle<'plan'>
export type NativeEstimators = NativeHandle<'estimators'>
export type NativeCache = NativeHandle<'cache'>

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
  /** u8 [selects, T] and f32 [selects, T], all zero. */
  readonly bits: Uint8Array
  readonly estimates: Float32Array
}
