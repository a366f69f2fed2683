import { accumulatorName, type CompiledProgram, DpllmError, gradientProgram } from '@dpllm/core'
import type { TensorEntry } from '@dpllm/core/node'
import { decoderProgram, type Model } from '@dpllm/runtime'
import { runWindows } from '../calibrate/run-windows.js'
import { type GradientMode, openGradientFile, writeGradientFile } from './gradient-files.js'
import type { ProgramLinear } from './linears.js'

/** Linears whose gradients are measured in one pass over the samples. */
export interface GradientGroup {
  readonly linears: readonly ProgramLinear[]
  /** The group's file. */
  readonly path: string
  /** Samples whose gradients are in the file already. */
  readonly done: number
}

export interface MeasureGroupOptions {
  readonly mode: GradientMode
  readonly fingerprint: string
  readonly checkpointSeconds?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the tokens done of this pass. */
  readonly onTokens: (tokens: number) => void
}

const CHECKPOINT_SECONDS = 300

/**
 * Adds up the gradients of a group over the samples that its file lacks, and writes them to it: every few minutes, so that
 * a killed run goes on from there, and at the end.
 */
export async function measureGroup(
  model: Model,
  windows: readonly Uint32Array[],
  group: GradientGroup,
  options: MeasureGroupOptions,
): Promise<void> {
  const { mode, fingerprint, checkpointSeconds = CHECKPOINT_SECONDS, signal, onTokens } = options
  const predicted = windows.map((window) => window.length - 1)
  const reverse = gradientProgram(decoderProgram(model.config).program, {
    loss: 'loss',
    lossScale: 1 / Math.max(...predicted),
    weights: group.linears.map(({ weight }) => ({ weight, mode })),
  })
  await using compiled = await model.backend.compile(reverse, model.weights)
  if (group.done > 0) await resume(compiled, group, options)

  const total = windows.length
  const save = async (done: number) => {
    const entries = group.linears.map((linear) => entryOf(compiled, linear, mode, model.directory))
    await writeGradientFile(group.path, entries, { fingerprint, done, total, signal })
  }
  // The last token of a window is only predicted.
  const inputs = windows.map((window) => window.subarray(0, -1))
  const stepOf = (tokens: Uint32Array, i: number) => ({
    rows: tokens.map((_, row) => row),
    targets: windows[group.done + i].subarray(1),
    outputs: [],
  })
  const before = inputs.slice(0, group.done).reduce((sum, { length }) => sum + length, 0)
  let samples = group.done
  let saved = performance.now()
  for await (const { done } of runWindows(compiled, inputs.slice(group.done), stepOf, { signal })) {
    samples++
    onTokens(before + done)
    if (samples === total || performance.now() - saved < 1000 * checkpointSeconds) continue
    await save(samples)
    saved = performance.now()
  }
  await save(samples)
}

/** Sets the accumulators to what the group's file holds. */
async function resume(
  compiled: CompiledProgram,
  group: GradientGroup,
  { mode, fingerprint }: MeasureGroupOptions,
): Promise<void> {
  await using kept = await openGradientFile(group.path, fingerprint)
  for (const { module, weight } of group.linears) {
    const { data } = await kept.file.read(module)
    await compiled.setAccumulator(accumulatorName({ weight, mode }), data as Float32Array)
  }
}

function entryOf(
  compiled: CompiledProgram,
  { module, weight, rows, cols }: ProgramLinear,
  mode: GradientMode,
  directory: string,
): TensorEntry {
  const data = async () => {
    const sums = await compiled.accumulator(accumulatorName({ weight, mode }))
    if (sums.every(Number.isFinite)) return sums
    const message = `${directory}: ${module}: its gradients are no finite numbers on the calibration text; weights may be damaged`
    throw new DpllmError('ERR_DPLLM_NOT_FINITE', message)
  }
  return { name: module, dtype: 'f32', shape: [rows, cols], data }
}
