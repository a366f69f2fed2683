import { type CostedLinear, capBits } from '../../allocation/allocate-bits.js'
import { costedLinears, fisherCosts } from '../../allocation/cost-tables.js'
import type { CalibrationRun } from '../calibration-run.js'
import { type LoadedBits, loadedBits } from './max-bits.js'
import { quantizationErrors } from './quantization-errors.js'

/** Costs of every linear's bits up to what is loaded. */
export interface LoadedCosts extends LoadedBits {
  readonly linears: readonly CostedLinear[]
}

/** Phase 1 of DP-LLM: the most bits of every linear by Ω, the errors weighed by Fisher information, and Ω up to these bits. */
export async function fisherLoadedCosts(run: CalibrationRun): Promise<LoadedCosts> {
  return loadedCosts(run, costedLinears(await quantizationErrors(run, 'fisher'), fisherCosts))
}

/** The same with other costs. */
export function loadedCosts(run: CalibrationRun, costed: readonly CostedLinear[]): LoadedCosts {
  const loaded = loadedBits(run, costed)
  return { ...loaded, linears: capBits(costed, loaded.maxBits) }
}
