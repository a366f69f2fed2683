import {
  BackendUnavailableError,
  type BitPlaneWeight,
  bitsAround,
  type CheckedStep,
  type CompiledProgram,
  checkEstimators,
  checkStep,
  checkStepInputs,
  type Estimator,
  elementsOf,
  InvalidArgumentError,
  type KeyValueCache,
  matrixShape,
  operands,
  type Program,
  rowWidth,
  type Step,
  type StepResult,
  type Weights,
} from '@dpllm/core'
import { CudaCache } from './cache.js'
import { lowerEstimator } from './estimators.js'
import type { LoweredProgram } from './lower.js'
import type { NativeAddon, NativeEstimators, NativePlan, NativeProgram } from './native-types.js'
import { makePlan } from './plan.js'

/** Plans kept per program; a program is run with a handful of sets of outputs. */
const MAX_PLANS = 64

interface Plan {
  readonly native: NativePlan
  /** Indices of the operators that run. */
  readonly operators: readonly number[]
}

/** A program compiled for the CUDA backend. Steps, and what reads or changes its state, run one after another. */
export class CudaProgram implements CompiledProgram {
  readonly selects: readonly string[]
  readonly #selectWeights: readonly BitPlaneWeight[]
  /** D of each select's x [T, D]. */
  readonly #selectWidths: readonly number[]
  readonly #vocabulary: number
  /** Values that a step can give back: those that are inputs or written. */
  readonly #known: ReadonlySet<string>
  readonly #plans = new Map<string, Plan>()
  readonly #estimators = new WeakMap<readonly Estimator[], NativeEstimators>()
  #tail: Promise<unknown> = Promise.resolve()
  #disposed = false

  constructor(
    private readonly addon: NativeAddon,
    private readonly native: NativeProgram,
    private readonly program: Program,
    private readonly weights: Weights,
    private readonly lowered: LoweredProgram,
    private readonly onDispose: () => void,
  ) {
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
    try {
      return new CudaCache(this, capacity, this.addon, this.addon.createCache(this.native, capacity))
    } catch {
      throw new InvalidArgumentError('capacity', 'one that there is device memory for (fewer tokens)', capacity)
    }
  }

  run(step: Step): Promise<StepResult> {
    return this.#inTurn(() => this.#run(step))
  }

  accumulator(name: string): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const { index, elements } = this.#accumulator(name)
      const data = new Float32Array(elements)
      await this.addon.readAccumulator(this.native, index, data).catch(failed)
      return data
    })
  }

  setAccumulator(name: string, data: Float32Array): Promise<void> {
    return this.#inTurn(async () => {
      const { index, elements } = this.#accumulator(name)
      if (data.length !== elements) throw new InvalidArgumentError(name, `${elements} values`, data.length)
      await this.addon.writeAccumulator(this.native, index, data).catch(failed)
    })
  }

  updateWeights(names: readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      const indices = names.map((name) => {
        const index = this.lowered.weightIndex.get(name)
        if (index === undefined) throw new InvalidArgumentError('weights', "names of the program's weights", name)
        return index
      })
      await this.addon.updateWeights(this.native, Int32Array.from(indices)).catch(failed)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.onDispose()
    await this.#tail
    this.addon.disposeProgram(this.native)
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
    const step = checkStep(given, this.#vocabulary, this.selects.length)
    const { cache, policy } = step
    if (!(cache instanceof CudaCache) || cache.owner !== this) {
      throw new InvalidArgumentError('cache', 'a cache that this program made', 'another')
    }
    const plan = this.#planFor(step.outputs)
    checkStepInputs(step, this.program, plan.operators)
    this.#checkAverageBits(step, plan)
    const T = step.tokens.length
    const bits = new Uint8Array(this.selects.length * T)
    const estimates = new Float32Array(this.selects.length * T)
    // What is given is copied: the caller may write to it while the step runs. An input may be an output, too.
    const inputs = new Map((this.program.inputs ?? []).map((name) => [name, new Float32Array(step.inputs![name])]))
    const outputs = step.outputs.map((name): [string, Float32Array] => {
      const size = elementsOf(this.program, name, T, step.rows.length)
      return [name, inputs.get(name) ?? new Float32Array(size)]
    })
    await this.addon
      .run(this.native, {
        plan: plan.native,
        cache: cache.native(),
        tokens: step.tokens.slice(),
        position: step.position,
        rows: step.rows.slice(),
        targets: step.targets?.slice(),
        estimators: policy && this.#estimatorsFor(policy.estimators),
        thresholds: policy?.thresholds.slice(),
        inputs: [...inputs.values()],
        outputs: outputs.flatMap(([name, data]) => (inputs.has(name) ? [] : [data])),
        bits,
        estimates,
      })
      .catch(failed)
    return { outputs: Object.fromEntries(outputs), bits, estimates }
  }

  /** @throws BackendUnavailableError */
  #check(): void {
    if (this.#disposed) throw new BackendUnavailableError('cuda', 'the program has been disposed')
  }

  /** @throws InvalidArgumentError */
  #accumulator(name: string): { index: number; elements: number } {
    const index = this.lowered.accumulatorIndex.get(name)
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
      const description = makePlan(this.program, this.lowered.valueIndex, outputs)
      plan = { native: this.addon.createPlan(description), operators: [...description.operators] }
      if (this.#plans.size === MAX_PLANS) this.#plans.clear()
      this.#plans.set(key, plan)
    }
    return plan
  }

  /** Average bits that the step gives are between those that are loaded. */
  #checkAverageBits({ inputs = {} }: CheckedStep, { operators }: Plan): void {
    for (const index of operators) {
      const op = this.program.operators[index]
      if ('averageBits' in op && inputs[op.averageBits] !== undefined)
        bitsAround(this.weights.get(op.weight) as BitPlaneWeight, inputs[op.averageBits][0])
    }
  }

  #estimatorsFor(estimators: readonly Estimator[]): NativeEstimators {
    let native = this.#estimators.get(estimators)
    if (native === undefined) {
      checkEstimators(estimators, this.#selectWeights, this.#selectWidths)
      try {
        native = this.addon.createEstimators(this.native, estimators.map(lowerEstimator))
      } catch (error) {
        failed(error as Error)
      }
      this.#estimators.set(estimators, native)
    }
    return native
  }
}

function failed(cause: Error): never {
  throw new BackendUnavailableError('cuda', `a step failed: ${cause.message}`, { cause })
}
