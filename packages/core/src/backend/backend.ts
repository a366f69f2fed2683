import type { Program } from '../program/program.js'
import type { Weights } from '../program/weights.js'
import type { Policy } from './policy.js'

/** Something that runs programs: the reference in TypeScript, the CPU kernels, a GPU. */
export interface Backend extends AsyncDisposable {
  readonly name: string
  /** For people: instruction set and threads, or the device. */
  readonly description: string
  /**
   * Makes a program ready to run with these weights. Weights stay the caller's and must not change afterwards, but for
   * `updateWeights`.
   * @throws InvalidArgumentError if shapes do not fit.
   */
  compile(program: Program, weights: Weights): Promise<CompiledProgram>
}

export interface CompiledProgram extends AsyncDisposable {
  /** The select operators' weights in order: what policies and `StepResult.bits` are indexed by. */
  readonly selects: readonly string[]
  /**
   * Keys and values for up to `capacity` positions of one sequence. Memory for a position is taken when it is written,
   * wherever the system gives out memory lazily: a large capacity costs nothing by itself.
   * @throws InvalidArgumentError if the system does not let it be so large
   */
  createCache(capacity: number): KeyValueCache
  /**
   * Runs one step. Steps of one compiled program run one after another, in the order of the calls; the event loop
   * stays free. An abort is seen between steps.
   */
  run(step: Step): Promise<StepResult>
  /**
   * A copy of an accumulator, f32 [rows, cols], after the steps that were called before. Zero at first.
   * @throws InvalidArgumentError if the program has none of this name
   */
  accumulator(name: string): Promise<Float32Array>
  /**
   * Sets an accumulator to a copy of `data`, before the steps that are called later: to zero it, or to resume a sum.
   * @throws InvalidArgumentError if the program has none of this name and size
   */
  setAccumulator(name: string, data: Float32Array): Promise<void>
  /**
   * Says that the caller has changed the data of these weights (tables, say) in place, while no step ran: whatever was
   * derived or copied from them is made anew, before the steps that are called later.
   * @throws InvalidArgumentError for a name that is no weight of the program
   */
  updateWeights(names: readonly string[]): Promise<void>
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
  readonly rows?: Uint32Array | undefined
  /** u32[R]: for the loss. */
  readonly targets?: Uint32Array | undefined
  /** f32 by name, of the declared shape: the program's `inputs`. */
  readonly inputs?: Readonly<Record<string, Float32Array>> | undefined
  /** Names of the values wanted; default ['logits']. What they do not need is not computed. */
  readonly outputs?: readonly string[] | undefined
  /**
   * A result of an earlier step of this program that is needed no longer. Where this step gives as much, a backend may fill its
   * arrays anew and give it back, so that steps of a kind take no memory. Its arrays must be left alone until the step is done.
   */
  readonly reuse?: StepResult | undefined
  /** Without one every linear reads the most bits loaded. */
  readonly policy?: Policy | undefined
  readonly signal?: AbortSignal | undefined
}

export interface StepResult {
  /** f32 values by name. The arrays are the caller's own, until a step gets them to reuse. */
  readonly outputs: Readonly<Record<string, Float32Array>>
  /** u8 [select operators, T]: the bits that each token read. */
  readonly bits: Uint8Array
  /** f32 [select operators, T]: the estimates that decided; 0 where the estimator is `none`. */
  readonly estimates: Float32Array
}
