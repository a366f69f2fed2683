import { type BitPlaneWeight, staticPolicy } from '@dpllm/core'
import type { Distillation } from './distillation.js'
import { type BitLimits, drawAverageBits, drawBits } from './mixed-bits.js'
import { learningRateAt } from './schedule.js'
import { drawsOf, windowsOfStep } from './step-draws.js'
import { type TrainedTable, trainTable } from './trained-tables.js'

/** What decides the steps of a training run. */
export interface TrainingSettings {
  readonly steps: number
  /** Windows of a step. */
  readonly batch: number
  readonly learningRate: number
  readonly seed: number
  /** Bit counts whose tables are trained, ascending. */
  readonly bits: readonly number[]
}

/**
 * One step: the gradient of the mean divergence over a batch, every linear read at bits drawn for the whole step, then a
 * step of Adam on each table that was read. All that is drawn depends on the number of the step alone.
 */
export async function trainStep(
  distillation: Distillation,
  tables: readonly TrainedTable[],
  windows: readonly Uint32Array[],
  step: number,
  settings: TrainingSettings,
): Promise<void> {
  const { steps, batch, learningRate, seed, bits } = settings
  const { linears, weights } = distillation
  const random = drawsOf(seed, 'step', step)
  const read = drawBits(
    random,
    drawAverageBits(random, bits),
    linears.map((name) => limitsOf(distillation, name)),
  )
  const policy = staticPolicy(read)
  for (const index of windowsOfStep(step, batch, windows.length, seed)) await distillation.accumulate(windows[index], policy)

  const rate = learningRateAt(step, steps, learningRate)
  for (const [i, name] of linears.entries()) {
    const gradient = await distillation.takeGradient(name)
    const table = tables.find(({ weight, bits }) => weight === name && bits === read[i])
    if (table) trainTable(table, gradient, weights.get(name) as BitPlaneWeight, rate)
  }
  await distillation.update(linears)
}

/** Bit counts that a weight of a distillation can be read at. */
export function limitsOf({ weights }: Distillation, name: string): BitLimits {
  const { seedBits, maxBits } = weights.get(name) as BitPlaneWeight
  return { minBits: seedBits, maxBits }
}
