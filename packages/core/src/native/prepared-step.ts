import type { StepResult } from '../backend/backend.js'
import type { CheckedStep } from '../backend/step.js'
import { elementsOf } from '../backend/step-inputs.js'
import type { Program } from '../program/program.js'
import type { NativeCache, NativeEstimators, NativePlan, NativeStep } from './binding.js'

/** What the steps that want the same outputs share. */
interface StepPlan {
  readonly native: NativePlan
  readonly outputs: readonly string[]
}

/** The arrays of a step, which later steps of the same sizes can use again. */
export interface PreparedStep<Plan extends StepPlan = StepPlan> {
  readonly plan: Plan
  readonly result: StepResult
  readonly native: { -readonly [Field in keyof NativeStep]: NativeStep[Field] }
  /** Elements of the result's arrays. */
  readonly elements: number
}

/** Makes the arrays of a step. What is given has copies, as the caller may write to its own while the step runs. */
export function prepareStep<Plan extends StepPlan>(
  program: Program,
  plan: Plan,
  cache: NativeCache,
  { tokens, rows, targets, inputs, policy }: CheckedStep,
  selects: number,
): PreparedStep<Plan> {
  const given = new Map(program.inputs?.map((name) => [name, new Float32Array(inputs![name].length)]))
  const filled: Float32Array[] = []
  // An input may be an output, too.
  const outputs = plan.outputs.map((name): [string, Float32Array] => {
    const input = given.get(name)
    if (input !== undefined) return [name, input]
    const output = new Float32Array(elementsOf(program, name, tokens.length, rows.length))
    filled.push(output)
    return [name, output]
  })
  const bits = new Uint8Array(selects * tokens.length)
  const estimates = new Float32Array(selects * tokens.length)
  const native = {
    plan: plan.native,
    cache,
    tokens: new Uint32Array(tokens.length),
    position: 0,
    rows: new Uint32Array(rows.length),
    targets: targets && new Uint32Array(targets.length),
    estimators: undefined,
    thresholds: policy && new Float32Array(policy.thresholds.length),
    inputs: [...given.values()],
    outputs: filled,
    bits,
    estimates,
  }
  return { plan, result: { outputs: Object.fromEntries(outputs), bits, estimates }, native, elements: elementsIn(native) }
}

/** Whether a step wants the same outputs of as many tokens and rows, and no array has been transferred to somebody else. */
export function fitsStep({ plan, native, elements }: PreparedStep, step: CheckedStep): boolean {
  const { tokens, rows, targets, policy } = step
  return (
    sameNames(plan.outputs, step.outputs) &&
    native.tokens.length === tokens.length &&
    native.rows.length === rows.length &&
    native.targets?.length === targets?.length &&
    native.thresholds?.length === policy?.thresholds.length &&
    elementsIn(native) === elements
  )
}

/** Copies what the step gives. */
export function fillStep(
  { native }: PreparedStep,
  step: CheckedStep,
  program: Program,
  cache: NativeCache,
  estimators: NativeEstimators | undefined,
): void {
  native.cache = cache
  native.position = step.position
  native.estimators = estimators
  native.tokens.set(step.tokens)
  native.rows.set(step.rows)
  if (step.targets !== undefined) native.targets!.set(step.targets)
  if (step.policy !== undefined) native.thresholds!.set(step.policy.thresholds)
  for (let i = 0; i < native.inputs.length; i++) native.inputs[i].set(step.inputs![program.inputs![i]])
  native.bits.fill(0)
  native.estimates.fill(0)
}

// Loops by index here: in every step an iterator would be garbage.
function elementsIn({ inputs, outputs, bits, estimates }: PreparedStep['native']): number {
  let sum = bits.length + estimates.length
  for (let i = 0; i < inputs.length; i++) sum += inputs[i].length
  for (let i = 0; i < outputs.length; i++) sum += outputs[i].length
  return sum
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
