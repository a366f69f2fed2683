import { meanBits } from '@dpllm/runtime'
import { createAverageBitsTrainer } from '../../average-bits/train-average-bits.js'
import { type CalibrationRun, windowSettings } from '../calibration-run.js'

/** Average bits that Phase 2 found for a target. */
export interface TargetAverages {
  readonly targetBits: number
  /** p, in the order of the model's linears: their mean, weighted by parameters, is the target. */
  readonly averageBits: readonly number[]
  /** Steps of training; 0 where there was nothing to train. */
  readonly steps: number
}

/** Part of the steps that a target takes which begins where its neighbour ended. */
const WARM = 0.5

/**
 * Phase 2 of DP-LLM for all targets: the middle one first, the others each from its neighbour's result.
 * @param maxBits B_i, in the order of the model's linears
 * @param targets ascending, each once
 */
export async function trainTargets(
  run: CalibrationRun,
  maxBits: readonly number[],
  targets: readonly number[],
  { epochs, steps = epochs * run.windows.length }: { readonly epochs: number; readonly steps?: number | undefined },
): Promise<TargetAverages[]> {
  const { model, windows, seed, work, signal, onProgress } = run
  const found = new Map<number, TargetAverages>()
  const sizes = model.linears.map(({ rows, cols }) => ({ weights: rows * cols }))
  const ends = [model.linears.map(({ minBits }) => minBits), [...maxBits]]
  for (const averageBits of ends) {
    const mean = meanBits(sizes, averageBits)
    for (const targetBits of targets)
      if (Math.abs(targetBits - mean) < 1e-6) found.set(targetBits, { targetBits, averageBits, steps: 0 })
  }
  const trained = targets.filter((target) => !found.has(target))
  if (trained.length === 0) return targets.map((target) => found.get(target)!)

  await using trainer = await createAverageBitsTrainer(model, Math.max(...windows.map(({ length }) => length)))
  const train = async (targetBits: number, start: Float64Array | undefined) => {
    const settings = { ...windowSettings(run), maxBits, targetBits, steps, seed, start: start && [...start] }
    const { path, fingerprint } = work.place(`average-bits-${targetBits}`, settings)
    const result = await trainer.train(windows, {
      targetBits,
      maxBits,
      start,
      steps: start === undefined ? steps : Math.ceil(WARM * steps),
      seed,
      checkpoint: { file: `${path}.json`, fingerprint },
      signal,
      onProgress,
    })
    found.set(targetBits, { targetBits, averageBits: [...result.averageBits], steps: result.steps })
    return result.z
  }
  const middle = Math.floor(trained.length / 2)
  const first = await train(trained[middle], undefined)
  let z = first
  for (const target of trained.slice(middle + 1)) z = await train(target, z)
  z = first
  for (const target of trained.slice(0, middle).reverse()) z = await train(target, z)
  return targets.map((target) => found.get(target)!)
}
