import type { Backend, StepResult } from '../backend/backend.js'
import { createReferenceBackend } from '../reference/backend.js'
import type { OperatorCase } from './case-builder.js'
import type { Arithmetic } from './tolerance.js'

/** How far a backend's results are from the reference's in one step of a case. */
export interface CaseDifference {
  readonly step: number
  /** Name of an output, 'bits' or 'estimates'. */
  readonly what: string
  /** ‖found − reference‖ / ‖reference‖; for bits, the number of decisions that differ. */
  readonly error: number
  readonly tolerance: number
}

/**
 * Runs a case on a backend and on the reference; returns every difference beyond the tolerance, none if all is well.
 * @param reference the reference's results, where they are known already
 */
export async function checkCase(
  backend: Backend,
  c: OperatorCase,
  arithmetic: Arithmetic,
  reference?: readonly StepResult[],
): Promise<CaseDifference[]> {
  const found = await runCase(backend, c)
  return caseDifferences(c, arithmetic, found, reference ?? (await runCase(createReferenceBackend(), c)))
}

/** Every difference beyond the tolerance between results of a case and the reference's. */
export function caseDifferences(
  c: OperatorCase,
  arithmetic: Arithmetic,
  found: readonly StepResult[],
  wanted: readonly StepResult[],
): CaseDifference[] {
  const tolerance = c.tolerance[arithmetic]
  const differences: CaseDifference[] = []
  wanted.forEach((expected, step) => {
    const result = found[step]
    const report = (what: string, error: number, limit: number) => {
      if (!(error <= limit)) differences.push({ step, what, error, tolerance: limit })
    }
    for (const [name, values] of Object.entries(expected.outputs))
      report(name, relativeError(result.outputs[name], values), tolerance)
    report('estimates', relativeError(result.estimates, expected.estimates), tolerance)
    let turned = Math.abs(result.bits.length - expected.bits.length)
    expected.bits.forEach((b, i) => {
      if (result.bits[i] !== b) turned++
    })
    report('bits', turned, 0)
  })
  return differences
}

/** The results of all steps of a case on one cache; the program's accumulators are outputs of the last. */
export async function runCase(backend: Backend, c: OperatorCase): Promise<StepResult[]> {
  await using compiled = await backend.compile(c.program, c.weights)
  using cache = compiled.createCache(c.capacity)
  const results: StepResult[] = []
  for (const step of c.steps) results.push(await compiled.run({ ...step, cache }))
  const accumulated: Record<string, Float32Array> = {}
  for (const { name } of c.program.accumulators ?? []) accumulated[name] = await compiled.accumulator(name)
  const last = results[results.length - 1]
  return [...results.slice(0, -1), { ...last, outputs: { ...last.outputs, ...accumulated } }]
}

/** ‖found − wanted‖ / ‖wanted‖, infinite where the lengths differ or a value is not finite; 0 if both are all zero. */
export function relativeError(found: ArrayLike<number> | undefined, wanted: ArrayLike<number>): number {
  if (found?.length !== wanted.length) return Number.POSITIVE_INFINITY
  let error = 0
  let norm = 0
  for (let i = 0; i < wanted.length; i++) {
    error += (found[i] - wanted[i]) ** 2
    norm += wanted[i] ** 2
  }
  if (error === 0) return 0
  const ratio = Math.sqrt(error / norm)
  return Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio
}
