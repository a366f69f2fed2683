import {
  BackendUnavailableError,
  type BitPlaneWeight,
  type CheckedStep,
  type CompiledProgram,
  checkEstimators,
  checkStep,
  type Estimator,
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
import { lowerEstimator } from './estimators.js'
import type { LoweredProgram } from './lower.js'
import type { NativeAddon, NativeCache, NativeEstimators, NativePlan, NativeProgram } from './native-types.js'
import { makePlan } from './plan.js'

/** Plans kept per program; a program is run with a handful of sets of outputs. */
const MAX_PLANS = 64

/** A program compiled for the CPU backend. Steps run one after another. */
export class CpuProgram implements CompiledProgram {
  readonly selects: readonly string[]
  readonly #selectWeights: readonly BitPlaneWeight[]
  readonly #vocabulary: number
  /** Width of the logits that targets index. */
  readonly #classes: number
  readonly #written: ReadonlySet<string>
  readonly #plans = new Map<string, { native: NativePlan; needsTargets: boolean }>()
  readonly #estimators = new WeakMap<readonly Estimator[], NativeEstimators>()
  #tail: Promise<unknown> = Promise.resolve()
  #disposed = false

  constructor(
    private readonly addon: NativeAddon,
    private readonly native: NativeProgram,
    private readonly program: Program,
    weights: Weights,
    private readonly lowered: LoweredProgram,
  ) {
    this.selects = lowered.selects
    this.#selectWeights = lowered.selects.map((name) => weights.get(name) as BitPlaneWeight)
    const tables = program.operators.flatMap((op) => (op.kind === 'embed' ? [matrixShape(weights.get(op.table)!)[0]] : []))
    this.#vocabulary = Math.min(...tables)
    this.#classes = Math.min(
      ...program.operators.flatMap((op) => (op.kind === 'crossEntropy' ? [rowWidth(program.values[op.logits].shape)] : [])),
    )
    this.#written = new Set(program.operators.flatMap((op) => operands(op).writes))
  }

  createCache(capacity: number): KeyValueCache {
    this.#check()
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 2 ** 30)
      throw new InvalidArgumentError('capacity', 'an integer from 1 to 2^30', capacity)
    try {
      return new CpuCache(this, capacity, this.addon, this.addon.createCache(this.native, capacity))
    } catch {
      throw new InvalidArgumentError('capacity', 'one that there is memory for (fewer tokens, or a shorter context)', capacity)
    }
  }

  run(given: Step): Promise<StepResult> {
    const result = this.#tail.then(() => this.#run(given))
    this.#tail = result.catch(() => {})
    return result
  }

  // Programs with accumulators are not compiled yet, so there is none of any name.
  async accumulator(name: string): Promise<Float32Array> {
    throw new InvalidArgumentError('accumulator', "names of the program's accumulators", name)
  }

  async setAccumulator(name: string): Promise<void> {
    await this.accumulator(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    await this.#tail
    this.addon.disposeProgram(this.native)
  }

  async #run(given: Step): Promise<StepResult> {
    this.#check()
    const step = checkStep(given, this.#vocabulary, this.selects.length)
    const { cache, policy } = step
    if (!(cache instanceof CpuCache) || cache.owner !== this) {
      throw new InvalidArgumentError('cache', 'a cache that this program made', 'another')
    }
    const plan = this.#planFor(step)
    const T = step.tokens.length
    const bits = new Uint8Array(this.selects.length * T)
    const estimates = new Float32Array(this.selects.length * T)
    const outputs = step.outputs.map((name) => ({
      name,
      value: this.lowered.valueIndex.get(name)!,
      data: new Float32Array(this.#elements(name, step)),
    }))
    // Small arrays are copied: the caller may write to them while the step runs.
    await this.addon
      .run(this.native, {
        plan,
        cache: cache.native(),
        tokens: step.tokens.slice(),
        position: step.position,
        rows: step.rows.slice(),
        targets: step.targets?.slice(),
        estimators: policy && this.#estimatorsFor(policy.estimators),
        thresholds: policy?.thresholds.slice(),
        outputs,
        bits,
        estimates,
      })
      .catch((error: Error) => {
        throw new BackendUnavailableError('cpu', `a step failed: ${error.message}`, { cause: error })
      })
    return { outputs: Object.fromEntries(outputs.map(({ name, data }) => [name, data])), bits, estimates }
  }

  #check(): void {
    if (this.#disposed) throw new BackendUnavailableError('cpu', 'the program has been disposed')
  }

  #planFor(step: CheckedStep): NativePlan {
    const key = step.outputs.join('\0')
    let plan = this.#plans.get(key)
    if (plan === undefined) {
      for (const name of step.outputs) {
        if (!this.#written.has(name) || this.program.values[name].dtype !== 'f32') {
          throw new InvalidArgumentError('outputs', "names of f32 values that the program's operators write", name)
        }
      }
      const description = makePlan(this.program, this.lowered.valueIndex, step.outputs)
      const needsTargets = description.operators.some((index) => this.program.operators[index].kind === 'crossEntropy')
      plan = { native: this.addon.createPlan(description), needsTargets }
      if (this.#plans.size === MAX_PLANS) this.#plans.clear()
      this.#plans.set(key, plan)
    }
    if (plan.needsTargets && step.targets === undefined)
      throw new InvalidArgumentError('targets', 'one id for each of rows', undefined)
    for (const target of step.targets ?? []) {
      if (target >= this.#classes) throw new InvalidArgumentError('targets', `ids below ${this.#classes}`, target)
    }
    return plan.native
  }

  #estimatorsFor(estimators: readonly Estimator[]): NativeEstimators {
    let native = this.#estimators.get(estimators)
    if (native === undefined) {
      checkEstimators(estimators, this.#selectWeights)
      native = this.addon.createEstimators(estimators.map(lowerEstimator))
      this.#estimators.set(estimators, native)
    }
    return native
  }

  /** Elements of a value in this step. */
  #elements(name: string, step: CheckedStep): number {
    const { shape } = this.program.values[name]
    const rows = shape[0] === 'T' ? step.tokens.length : shape[0] === 'R' ? step.rows.length : (shape[0] ?? 1)
    return rows * rowWidth(shape)
  }
}

/** Keys and values in native memory. */
class CpuCache implements KeyValueCache {
  #native: NativeCache | undefined

  constructor(
    readonly owner: CpuProgram,
    readonly capacity: number,
    private readonly addon: NativeAddon,
    native: NativeCache,
  ) {
    this.#native = native
  }

  /** @throws InvalidArgumentError once disposed */
  native(): NativeCache {
    if (this.#native === undefined) throw new InvalidArgumentError('cache', 'one that has not been disposed', 'a disposed one')
    return this.#native
  }

  [Symbol.dispose](): void {
    if (this.#native !== undefined) this.addon.disposeCache(this.#native)
    this.#native = undefined
  }
}
