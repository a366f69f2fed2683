import { type Model, meanBits } from '@dpllm/runtime'
import { type AverageBitsState, identityOfRun, readCheckpointFile, writeCheckpointFile } from './checkpoint.js'
import { landOnTarget } from './landing.js'
import { createMixedModel, type MixedModel } from './mixed-model.js'
import { averagedLinears, checkTrainable, checkTrainingWindows, settingsOf, type TrainAverageBitsOptions } from './options.js'
import { averageBitsOf } from './parametrization.js'
import { initialParameters } from './start.js'
import { trainStep } from './train.js'

/** What Phase 2 found for a target. */
export interface AverageBits {
  /** f64 [linears], p of each: their mean, weighted by parameters, is the target within 1e-9. */
  readonly averageBits: Float64Array
  /** f64 [linears], z of these p, 0 for linears that have none: where a neighbouring target can `start`. */
  readonly z: Float64Array
  /** Mean bits that training ended at, before all z were shifted. */
  readonly meanBeforeLanding: number
  /** Cross entropy, nats: means over at most 50 consecutive stretches of steps. */
  readonly lossTrace: readonly number[]
  readonly steps: number
}

/** A model that is ready to train average bits, for any number of targets and memory budgets. */
export interface AverageBitsTrainer extends AsyncDisposable {
  /** As `trainAverageBits`; windows have at most the length that the trainer was made for. One run at a time. */
  train(windows: readonly Uint32Array[], options: TrainAverageBitsOptions): Promise<AverageBits>
}

/** Stretches of a trace at most. */
const TRACE = 50
const CHECKPOINT_SECONDS = 60

/**
 * Phase 2 of DP-LLM (§4, algorithm 1): average bits p of each linear, by gradient descent on the mean cross entropy of windows
 * plus α (Σ p M / Σ M − target)², while every linear reads a mixture of the two bit counts around its p. Defaults are the
 * paper's (appendix B.1). At the end all z are shifted by the same amount, so that the mean is the target. The same arguments
 * give the same result, whether a run was interrupted or not.
 * @param model a quantized model, with at least the bits of `maxBits` loaded
 * @param windows tokens of the calibration text, each from position 0, at least two tokens each
 * @throws InvalidArgumentError; FileFormatError for a checkpoint that is damaged or of another run; DpllmError
 * ERR_DPLLM_NOT_FINITE; the signal's reason, after what was done is written to the checkpoint
 */
export async function trainAverageBits(
  model: Model,
  windows: readonly Uint32Array[],
  options: TrainAverageBitsOptions,
): Promise<AverageBits> {
  await using trainer = await createAverageBitsTrainer(model, Math.max(2, ...windows.map(({ length }) => length)))
  return await trainer.train(windows, options)
}

/**
 * Makes a trainer, whose targets share what is compiled. The model stays the caller's, and is to outlive the trainer.
 * @param length most tokens of a window, from 2 to one more than the model's context: the last one is only predicted
 * @throws InvalidArgumentError
 */
export async function createAverageBitsTrainer(model: Model, length: number): Promise<AverageBitsTrainer> {
  checkTrainable(model, length)
  const mixed = await createMixedModel(model, length)
  return {
    train: async (windows, options) => {
      checkTrainingWindows(windows, length)
      return await train(model, mixed, windows, options)
    },
    [Symbol.asyncDispose]: () => mixed[Symbol.asyncDispose](),
  }
}

async function train(
  model: Model,
  mixed: MixedModel,
  windows: readonly Uint32Array[],
  options: TrainAverageBitsOptions,
): Promise<AverageBits> {
  const { targetBits, start, checkpoint, signal, onProgress } = options
  const linears = averagedLinears(model, options)
  const settings = settingsOf(options, windows.length)
  const { steps } = settings
  const run = identityOfRun(checkpoint?.fingerprint ?? '', linears, settings, start, windows)
  const kept = checkpoint && (await readCheckpointFile(checkpoint.file, run, { linears: linears.length, steps }))
  const state: AverageBitsState = kept ?? {
    z: start === undefined ? initialParameters(linears, settings) : landOnTarget(linears, start, targetBits),
    adamW: { mean: new Float64Array(linears.length), square: new Float64Array(linears.length), steps: 0 },
    losses: [],
  }
  const save = async () => checkpoint && (await writeCheckpointFile(checkpoint.file, run, state))
  const report = () =>
    onProgress?.({ stage: `average bits ${targetBits}`, done: state.losses.length, total: steps, unit: 'steps' })

  let saved = performance.now()
  report()
  try {
    while (state.losses.length < steps) {
      signal?.throwIfAborted()
      state.losses.push(await trainStep(mixed, linears, windows, state, settings))
      report()
      if (performance.now() - saved < 1000 * (checkpoint?.everySeconds ?? CHECKPOINT_SECONDS)) continue
      await save()
      saved = performance.now()
    }
  } catch (error) {
    if (signal?.aborted) await save()
    throw error
  }
  await save()
  const z = landOnTarget(linears, state.z, targetBits).map((value, i) => (linears[i].maxBits > linears[i].minBits ? value : 0))
  return {
    averageBits: averageBitsOf(linears, z),
    z,
    meanBeforeLanding: meanBits(linears, averageBitsOf(linears, state.z)),
    lossTrace: traceOf(state.losses),
    steps,
  }
}

function traceOf(losses: readonly number[]): number[] {
  const stretch = Math.ceil(losses.length / TRACE)
  return Array.from({ length: Math.ceil(losses.length / Math.max(stretch, 1)) }, (_, i) => {
    const part = losses.slice(i * stretch, (i + 1) * stretch)
    return part.reduce((sum, loss) => sum + loss, 0) / part.length
  })
}
