import type { Program } from '../program/program.js'
import type { Weights } from '../program/weights.js'
import type { Policy } from './policy.js'

/** Something that runs programs: the reference in TypeScript, the CPU kernels, a GPU. */
export interface Backend extends AsyncDisposable {
  readonly name: string
  /** For people: instruction set and threads, or the device. */
  readonly description: string
  /**
   * Makes a program ready to run with these weights. Weights stay the caller's and must not change afterwards.
   * @throws InvalidArgumentError if shapes do not fit.
   */
  compile(program: Program, weights: Weights): Promise<CompiledProgram>
}

export interface CompiledProgram extends AsyncDisposable {
  /** The select operators' weights in order: what policies and `StepResult.bits` are indexed by. */
  readonly selects: readonly string[]
  /** Keys and values for up to `capacity` positions of one sequence. */
  createCache(capacity: number): KeyValueCache
  /**
   * Runs one step. Steps of one compiled program run one after another, in the order of the calls; the event loop
   * stays free. An abort is seen between steps.
   */
  run(step: Step): Promise<StepResult>
}

/** A backend's own memory for the keys and values of one sequence. Truncating is starting at an earlier position. */
export interface KeyValueCache extends Disposable {
  readonly capacity: number
}

export interface Step {
  /** u32[T], consecutive tokens of one sequence. */
  readonly tokens: Uint32Array
  /** Position of tokens[0]; everything before it is in the cache. */
  readonly position: number
  readonly cache: KeyValueCache
  /** u32[R]: which of the T tokens continue through the head; default the last one. */
  readonly rows?: Uint32Array
  /** u32[R]: for the loss. */
  readonly targets?: Uint32Array
  /** Names of the values wanted; default ['logits']. What they do not need is not computed. */
  readonly outputs?: readonly string[]
  /** Without one every linear reads the most bits loaded. */
  readonly policy?: Policy
  readonly signal?: AbortSignal
}

export interface StepResult {
  /** f32 values by name. The arrays are the caller's own. */
  readonly outputs: Readonly<Record<string, Float32Array>>
  /** u8 [select operators, T]: the bits that each token read. */
  readonly bits: Uint8Array
  /** f32 [select operators, T]: the estimates that decided; 0 where the estimator is `none`. */
  readonly estimates: Float32Array
}
