import type { CompiledProgram, KeyValueCache, Step, StepResult } from '../backend/backend.js'
import { checkEstimators } from '../backend/check-policy.js'
import type { Estimator } from '../backend/policy.js'
import { type CheckedStep, checkStep } from '../backend/step.js'
import { checkStepInputs, checksInputs } from '../backend/step-inputs.js'
import { bitsAround } from '../bit-planes/bits-around.js'
import type { BitPlaneWeight } from '../bit-planes/weight.js'
import { BackendUnavailableError, InvalidArgumentError } from '../errors.js'
import { type Operator, operands } from '../program/operators.js'
import type { Program } from '../program/program.js'
import { rowWidth } from '../program/shape-checks.js'
import { matrixShape, type Weights } from '../program/weights.js'
import type { NativeBinding, NativeCache, NativeEstimators, NativePlan, NativeProgram } from './binding.js'
import { NativeKeyValueCache } from './cache.js'
import type { LoweredProgram } from './lower.js'
import { lowerEstimator } from './lower-estimator.js'
import { makePlan } from './plan.js'
import { fillStep, fitsStep, type PreparedStep, prepareStep } from './prepared-step.js'

/** Plans kept per program; a program is run with a handful of sets of outputs. */
const MAX_PLANS = 64

interface Plan {
  readonly native: NativePlan
  readonly outputs: readonly string[]
  /** Indices of the operators that run whose inputs each step has to be checked for. */
  readonly checked: readonly number[]
  /** Those that run and read average bits. */
  readonly mixed: readonly MixedOperator[]
}

type MixedOperator = Extract<Operator, { averageBits: string }>

/** What a native backend compiled. */
export interface NativeParts {
  /** Name of the backend, for errors. */
  readonly backend: string
  readonly binding: NativeBinding
  readonly native: NativeProgram
  readonly lowered: LoweredProgram
  /** After every step, with the milliseconds that it took. */
  readonly onStep?: ((milliseconds: number) => void) | undefined
  readonly onDispose?: () => void
}

/** A program compiled for a native backend. Steps, and what reads or changes its state, run one after another. */
export class NativeCompiledProgram implements CompiledProgram {
  readonly selects: readonly string[]
  readonly #selectWeights: readonly BitPlaneWeight[]
  /** D of each select's x [T, D]. */
  readonly #selectWidths: readonly number[]
  readonly #vocabulary: number
  /** Values that a step can give back: those that are inputs or written. */
  readonly #known: ReadonlySet<string>
  readonly #plans = new Map<string, Plan>()
  readonly #estimators = new WeakMap<readonly Estimator[], NativeEstimators>()
  /** Of the results that are there, what can be used again. */
  readonly #prepared = new WeakMap<StepResult, PreparedStep<Plan>>()
  #tail: Promise<unknown> = Promise.resolve()
  #disposed = false

  constructor(
    private readonly program: Program,
    private readonly weights: Weights,
    private readonly parts: NativeParts,
  ) {
    const { lowered } = parts
    this.selects = lowered.selects
    this.#selectWeights = lowered.selects.map((name) => weights.get(name) as BitPlaneWeight)
    this.#selectWidths = program.operators.flatMap((op) => (op.kind === 'select' ? [rowWidth(program.values[op.x].shape)] : []))
    const tables = program.operators.flatMap((op) => (op.kind === 'embed' ? [matrixShape(weights.get(op.table)!)[0]] : []))
    this.#vocabulary = Math.min(...tables)
    this.#known = new Set([...(program.inputs ?? []), ...program.operators.flatMap((op) => operands(op).writes)])
  }

  createCache(capacity: number): KeyValueCache {
    this.#check()
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 2 ** 30)
      throw new InvalidArgumentError('capacity', 'an integer from 1 to 2^30', capacity)
    const { binding, native } = this.parts
    try {
      return new NativeKeyValueCache(this, capacity, binding, binding.createCache(native, capacity))
    } catch (cause) {
      const wanted = 'one that there is memory for (fewer tokens, or a shorter context)'
      throw new InvalidArgumentError('capacity', wanted, capacity, { cause })
    }
  }

  run(step: Step): Promise<StepResult> {
    return this.#inTurn(() => this.#run(step))
  }

  accumulator(name: string): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const { index, elements } = this.#accumulator(name)
      const data = new Float32Array(elements)
      await this.#native((binding, native) => binding.readAccumulator(native, index, data))
      return data
    })
  }

  setAccumulator(name: string, data: Float32Array): Promise<void> {
    return this.#inTurn(async () => {
      const { index, elements } = this.#accumulator(name)
      if (data.length !== elements) throw new InvalidArgumentError(name, `${elements} values`, data.length)
      await this.#native((binding, native) => binding.writeAccumulator(native, index, data))
    })
  }

  updateWeights(names: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      const indices = names.map((name) => {
        const index = this.parts.lowered.weightIndex.get(name)
        if (index === undefined) throw new InvalidArgumentError('weights', "names of the program's weights", name)
        return index
      })
      await this.#native((binding, native) => binding.updateWeights(native, Int32Array.from(indices)))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    await this.#tail
    this.parts.binding.disposeProgram(this.parts.native)
    this.parts.onDispose?.()
  }

  /** Runs a task after those that were asked for before. */
  #inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(() => {
      this.#check()
      return task()
    })
    this.#tail = result.catch(() => {})
    return result
  }

  async #run(given: Step): Promise<StepResult> {
    const estimators = given.policy?.estimators
    if (estimators !== undefined && !this.#estimators.has(estimators)) await this.#takeEstimators(given, estimators)
    // After the wait, as the caller may have written to what is given meanwhile; from here on all is one turn.
    const step = checkStep(given, this.#vocabulary, this.selects.length)
    const { cache } = step
    if (!(cache instanceof NativeKeyValueCache) || cache.owner !== this) {
      throw new InvalidArgumentError('cache', 'a cache that this program made', 'another')
    }
    const used = step.reuse && this.#prepared.get(step.reuse)
    const reused = used !== undefined && fitsStep(used, step) ? used : undefined
    const plan = reused?.plan ?? this.#planFor(step.outputs)
    checkStepInputs(step, this.program, plan.checked)
    this.#checkAverageBits(step, plan)
    const prepared = reused ?? this.#prepare(plan, cache.native(), step)
    fillStep(prepared, step, this.program, cache.native(), estimators && this.#estimators.get(estimators))
    const begin = performance.now()
    try {
      await this.parts.binding.run(this.parts.native, prepared.native)
    } catch (cause) {
      throw this.#failure(cause)
    }
    this.parts.onStep?.(performance.now() - begin)
    return prepared.result
  }

  #prepare(plan: Plan, cache: NativeCache, step: CheckedStep): PreparedStep<Plan> {
    const prepared = prepareStep(this.program, plan, cache, step, this.selects.length)
    this.#prepared.set(prepared.result, prepared)
    return prepared
  }

  /** Calls native code. @throws BackendUnavailableError for what fails there */
  async #native<Result>(call: (binding: NativeBinding, native: NativeProgram) => Result): Promise<Awaited<Result>> {
    try {
      return await call(this.parts.binding, this.parts.native)
    } catch (cause) {
      throw this.#failure(cause)
    }
  }

  #failure(cause: unknown): BackendUnavailableError {
    return new BackendUnavailableError(this.parts.backend, `a step failed: ${(cause as Error).message}`, { cause })
  }

  /** @throws BackendUnavailableError */
  #check(): void {
    if (this.#disposed) throw new BackendUnavailableError(this.parts.backend, 'the program has been disposed')
  }

  /** @throws InvalidArgumentError */
  #accumulator(name: string): { index: number; elements: number } {
    const index = this.parts.lowered.accumulatorIndex.get(name)
    if (index === undefined) throw new InvalidArgumentError('accumulator', "names of the program's accumulators", name)
    const [rows, cols] = this.program.accumulators![index].shape
    return { index, elements: rows * cols }
  }

  #planFor(outputs: readonly string[]): Plan {
    const key = outputs.join('\0')
    let plan = this.#plans.get(key)
    if (plan === undefined) {
      for (const name of outputs) {
        if (!this.#known.has(name) || this.program.values[name].dtype !== 'f32') {
          throw new InvalidArgumentError('outputs', 'names of f32 values that are inputs or that operators write', name)
        }
      }
      const description = makePlan(this.program, this.parts.lowered.valueIndex, outputs)
      const order = [...description.operators]
      plan = {
        native: this.parts.binding.createPlan(description),
        outputs: [...outputs],
        checked: order.filter((index) => checksInputs(this.program.operators[index])),
        mixed: order.flatMap((index) => {
          const op = this.program.operators[index]
          return 'averageBits' in op ? [op] : []
        }),
      }
      if (this.#plans.size === MAX_PLANS) this.#plans.clear()
      this.#plans.set(key, plan)
    }
    return plan
  }

  /** Average bits that the step gives are between those that are loaded. */
  #checkAverageBits({ inputs = {} }: CheckedStep, { mixed }: Plan): void {
    for (const { averageBits, weight } of mixed) {
      if (inputs[averageBits] !== undefined) bitsAround(this.weights.get(weight) as BitPlaneWeight, inputs[averageBits][0])
    }
  }

  /** Takes over estimators that have not been seen before. */
  async #takeEstimators(step: Step, estimators: readonly Estimator[]): Promise<void> {
    checkStep(step, this.#vocabulary, this.selects.length)
    checkEstimators(estimators, this.#selectWeights, this.#selectWidths)
    const native = await this.#native((binding, program) => binding.createEstimators(program, estimators.map(lowerEstimator)))
    this.#estimators.set(estimators, native)
  }
}
