import {
  type Backend,
  type CompiledProgram,
  DpllmError,
  type Operator,
  operands,
  type Program,
  rowWidth,
  type Weights,
} from '@dpllm/core'
import { runWindows } from '../calibrate/run-windows.js'

/** A model that can be run: its program and what that reads. */
export interface RunnableModel {
  readonly backend: Backend
  readonly program: Program
  readonly weights: Weights
}

export interface CovarianceOptions {
  /** Most bytes of accumulators at a time; one that is larger is measured alone. Default 2 GiB. */
  readonly covarianceBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the tokens done, of `total` in all passes. */
  readonly onTokens?: ((done: number, total: number) => void) | undefined
}

const COVARIANCE_BYTES = 2 ** 31

/** Part of the mean diagonal that is added to it (GPTQ's damping is ten times as much): H of few tokens is singular. */
const DAMPING = 1e-3

/**
 * Measures the second moments H = Σ_t x_t x_tᵀ of values of a model over the tokens of a text, damped. There is a pass over
 * the text for as many values, in the order of the program, as `covarianceBytes` allows; it runs the model only as far as
 * the last of them.
 * @param values names of values [T, K]; those of the rows that go on [R, K] are measured at all tokens, too
 * @param windows tokens of the text, each from position 0
 * @returns f32 [K, K] for each value, one after another: one copy besides the accumulators of a pass
 * @throws DpllmError ERR_DPLLM_NOT_FINITE if values overflow, and the signal's reason
 */
export async function* inputCovariances(
  { backend, program, weights }: RunnableModel,
  values: readonly string[],
  windows: readonly Uint32Array[],
  options: CovarianceOptions = {},
): AsyncGenerator<{ value: string; covariance: Float32Array }, void, undefined> {
  const { covarianceBytes = COVARIANCE_BYTES, signal, onTokens } = options
  const groups = covarianceGroups(program, values, covarianceBytes)
  const tokens = windows.reduce((sum, { length }) => sum + length, 0)
  const stepOf = (window: Uint32Array) => ({ rows: window.map((_, row) => row), outputs: [] })
  for (const [pass, group] of groups.entries()) {
    await using compiled = await backend.compile(covarianceProgram(program, group), weights)
    for await (const { done } of runWindows(compiled, windows, stepOf, { signal })) {
      onTokens?.(pass * tokens + done, groups.length * tokens)
    }
    for (const value of group) yield { value, covariance: await dampedAccumulator(compiled, value) }
  }
}

async function dampedAccumulator(compiled: CompiledProgram, value: string): Promise<Float32Array> {
  const covariance = await compiled.accumulator(value)
  if (covariance.every(Number.isFinite)) return dampCovariance(covariance)
  const message = `${value} is no finite number on the calibration text; weights may be damaged`
  throw new DpllmError('ERR_DPLLM_NOT_FINITE', message)
}

/** Adds 1e-3 · mean(diag(H)) to the diagonal of H f32 [K, K], in place. */
export function dampCovariance(covariance: Float32Array): Float32Array {
  const size = Math.sqrt(covariance.length)
  let trace = 0
  for (let k = 0; k < size; k++) trace += covariance[k * size + k]
  for (let k = 0; k < size; k++) covariance[k * size + k] += (DAMPING * trace) / size
  return covariance
}

/** Cuts values, in the order in which the program writes them, into groups whose H fit in `budget` bytes. */
function covarianceGroups(program: Program, values: readonly string[], budget: number): string[][] {
  const groups: string[][] = []
  let room = 0
  for (const value of program.operators.flatMap((op) => operands(op).writes).filter((name) => values.includes(name))) {
    const bytes = Float32Array.BYTES_PER_ELEMENT * rowWidth(program.values[value].shape) ** 2
    if (groups.length === 0 || bytes > room) {
      groups.push([])
      room = budget
    }
    groups[groups.length - 1].push(value)
    room -= bytes
  }
  return groups
}

/** The program up to the last of `values`, which adds xᵀx of each to an accumulator of its name. */
function covarianceProgram(program: Program, values: readonly string[]): Program {
  const last = program.operators.findLastIndex((op) => operands(op).writes.some((name) => values.includes(name)))
  const sums = values.map((value): Operator => ({ kind: 'accumulate', x: value, dy: value, mode: 'sum', into: value }))
  const accumulators = values.map((name) => {
    const width = rowWidth(program.values[name].shape)
    return { name, shape: [width, width] as const }
  })
  return { ...program, operators: [...program.operators.slice(0, last + 1), ...sums], accumulators }
}
