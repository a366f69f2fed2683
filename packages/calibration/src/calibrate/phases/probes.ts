import type { BudgetLinear } from '@dpllm/estimators'
import { calibrateProbes } from '../../budget/calibrate-probes.js'
import { type CalibrationRun, windowSettings } from '../calibration-run.js'
import { candidateBits } from './max-bits.js'

/**
 * What the budget policy knows of every linear: its mean errors at all bit counts that the memory budget could give it, and
 * a probe that predicts how much a token matters.
 */
export async function probes(run: CalibrationRun): Promise<BudgetLinear[]> {
  const { model, windows, memoryBudget, work, seed, signal, onProgress } = run
  const maxBits = candidateBits(model, memoryBudget)
  const { path, fingerprint } = await work.folder('probes', { ...windowSettings(run), maxBits, seed })
  return calibrateProbes(model, windows, { maxBits, folder: path, fingerprint, seed, signal, onProgress })
}
