import type { Program } from '../program/program.js'
import type { Weights } from '../program/weights.js'
import { compileReference, type ReferenceResult, type ReferenceStep } from '../reference/compiled-program.js'

/** A step without a cache; inputs may be f64. */
export type StepInF64 = Omit<ReferenceStep, 'cache'>

export interface ResultInF64 extends ReferenceResult {
  readonly outputs: Readonly<Record<string, Float64Array>>
  /** f64 [rows, cols] by name, after this step alone. */
  readonly accumulators: Readonly<Record<string, Float64Array>>
}

/**
 * Runs one step with a cache of its own on the reference with f64 between operators as within: differences of its losses
 * show derivatives to ten digits.
 */
export function runInF64(program: Program, weights: Weights, step: StepInF64): ResultInF64 {
  const compiled = compileReference(program, weights, Float64Array)
  using cache = compiled.createCache(step.position + step.tokens.length)
  const result = compiled.run({ ...step, cache })
  return { ...result, accumulators: Object.fromEntries(compiled.accumulators) } as ResultInF64
}
