import type { Model } from '@dpllm/runtime'
import { type CostedLinear, capBits } from '../../allocation/allocate-bits.js'
import { chooseMaxBits } from '../../allocation/max-bits.js'
import type { CalibrationRun } from '../calibration-run.js'

/** Bit counts above this gain too little to be worth memory that others could have (DP-LLM §6.1). */
const MOST_BITS = 6

/** What is loaded of every linear. */
export interface LoadedBits {
  /** B_i, in the order of the model's linears. */
  readonly maxBits: readonly number[]
  /** Their mean, weighted by parameters: at most the memory budget. */
  readonly averageBits: number
}

/** Bits that a linear can be given for a memory budget: all that are stored up to 6, or to the budget if that is more. */
export function candidateBits(model: Model, memoryBudget: number): number[] {
  const most = Math.max(MOST_BITS, Math.ceil(memoryBudget))
  return model.linears.map(({ minBits, maxBits }) => Math.max(minBits, Math.min(maxBits, most)))
}

/**
 * Phase 1 of DP-LLM: the most bits of every linear for a memory budget (`chooseMaxBits`).
 * @param linears costs of the model's linears at all bits that are loaded, in order
 */
export function loadedBits({ model, memoryBudget }: CalibrationRun, linears: readonly CostedLinear[]): LoadedBits {
  const { bits, averageBits } = chooseMaxBits(capBits(linears, candidateBits(model, memoryBudget)), memoryBudget)
  return { maxBits: bits, averageBits }
}
