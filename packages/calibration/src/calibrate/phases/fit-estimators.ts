import { type BitPlaneWeight, dequantizeRow, type Estimator, type OnProgress, rowWidth, staticPolicy } from '@dpllm/core'
import { chooseEstimator, type EstimatorCandidate, type RowOf } from '@dpllm/estimators'
import { decoderProgram, type SelectInputs } from '@dpllm/runtime'
import { type CalibrationRun, windowSettings } from '../calibration-run.js'
import { type BitPair, bitPairs } from './bit-pairs.js'
import { keptEstimators, roundedEstimator } from './kept-estimators.js'
import { collectValues, selectInputNames } from './select-inputs.js'
import { firstWindows, tokensOf } from './select-windows.js'
import { trueErrors } from './true-errors.js'

/** What estimates a linear's error between two bit counts. */
export interface FittedPair extends BitPair {
  readonly estimator: Estimator
}

export interface FitEstimatorsOptions {
  readonly maxBits: readonly number[]
  /** What the linears read while inputs and errors are collected: about what they will read. */
  readonly bits: readonly number[]
  readonly selectInputs: SelectInputs
  /** As of `chooseEstimator`; DP-LLM as published is `['projection']`. */
  readonly candidates: readonly EstimatorCandidate[]
}

/** Tokens that estimators are fitted to and judged by; DP-LLM's code takes 20 480, tuning here gains little from more. */
const TOKENS = 4096

/** Most bytes of inputs in memory: so many linears' are collected in one pass. */
const INPUT_BYTES = 2 ** 31

/**
 * Estimators of all linears for every pair of bit counts up to what is loaded (DP-LLM §5.1): fitted to the inputs that the
 * select operators see in the quantized model, and to the true errors of the linears' own inputs, so that what an earlier
 * residual cannot tell is not hidden from the fit. Every finished linear is kept.
 * @returns by linear, pairs from few bits to many
 */
export async function fitEstimators(run: CalibrationRun, options: FitEstimatorsOptions): Promise<FittedPair[][]> {
  const { model, work, seed, signal, onProgress } = run
  const { maxBits, bits, selectInputs, candidates } = options
  const windows = firstWindows(run.windows, TOKENS)
  const settings = { ...windowSettings({ windows }), maxBits, bits, selectInputs, candidates, seed }
  const kept = keptEstimators(await work.folder('estimators', settings))
  const found = await Promise.all(model.linears.map(({ module }) => kept.read(module)))
  const missing = found.flatMap((of, i) => (of === undefined && maxBits[i] > model.linears[i].minBits ? [i] : []))
  if (missing.length > 0) {
    const errors = await trueErrors(run, windows, maxBits, bits)
    const names = selectInputNames(model, selectInputs)
    const policy = staticPolicy(bits)
    let done = model.linears.length - missing.length
    for (const group of inputGroups(run, missing, names, tokensOf(windows))) {
      const wanted = [...new Set(group.map((i) => names[i]))]
      const inputs = await collectValues(model, windows, wanted, { policy, signal })
      for (const i of group) {
        const x = inputs.get(names[i])!
        found[i] = await fitLinear(run, i, x, errors[i], options, progressOf(onProgress, done, model.linears.length))
        await kept.write(model.linears[i].module, found[i])
        onProgress?.({ stage: 'fit estimators', done: ++done, total: model.linears.length, unit: 'linears' })
      }
    }
  }
  return found.map((of) => of ?? [])
}

async function fitLinear(
  { model, seed, signal }: CalibrationRun,
  index: number,
  x: Float32Array,
  errors: readonly Float32Array[],
  { maxBits, candidates }: FitEstimatorsOptions,
  onProgress: OnProgress,
): Promise<FittedPair[]> {
  const linear = model.linears[index]
  const weight = model.weights.get(`${linear.module}.weight`) as BitPlaneWeight
  const pairs = bitPairs(linear, maxBits[index])
  const fitted: FittedPair[] = []
  for (const [j, pair] of pairs.entries()) {
    const tokens = { x, errors: errors[j] }
    const { estimator } = await chooseEstimator(weight.rows, weight.cols, rowsBetween(weight, pair), tokens, {
      seed: seed + index,
      candidates,
      signal,
      onProgress: ({ done, total }) => onProgress({ stage: '', done: j + done / total, total: pairs.length }),
    })
    fitted.push({ ...pair, estimator: roundedEstimator(estimator) })
  }
  return fitted
}

/** Rows of W_high − W_low. */
function rowsBetween(weight: BitPlaneWeight, { low, high }: BitPair): RowOf {
  const [upper, lower] = [new Float32Array(weight.cols), new Float32Array(weight.cols)]
  return (row) => {
    dequantizeRow(weight, high, row, upper)
    dequantizeRow(weight, low, row, lower)
    for (let i = 0; i < upper.length; i++) upper[i] -= lower[i]
    return upper
  }
}

/** Linears whose inputs are collected together, in order. */
function inputGroups(
  { model }: CalibrationRun,
  linears: readonly number[],
  names: readonly string[],
  tokens: number,
): number[][] {
  const { values } = decoderProgram(model.config).program
  const groups: number[][] = []
  let collected = new Set<string>()
  let bytes = Number.POSITIVE_INFINITY
  for (const i of linears) {
    const added = collected.has(names[i]) ? 0 : 4 * tokens * rowWidth(values[names[i]].shape)
    if (bytes + added > INPUT_BYTES) {
      groups.push([])
      collected = new Set()
      bytes = 0
    }
    groups.at(-1)!.push(i)
    bytes += collected.has(names[i]) ? 0 : 4 * tokens * rowWidth(values[names[i]].shape)
    collected.add(names[i])
  }
  return groups
}

/** Progress within one linear, as a part of all. */
function progressOf(onProgress: OnProgress | undefined, before: number, total: number): OnProgress {
  return ({ done, total: parts }) =>
    onProgress?.({ stage: 'fit estimators', done: before + done / parts, total, unit: 'linears' })
}
