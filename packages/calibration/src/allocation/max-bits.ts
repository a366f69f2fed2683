import { meanBits } from '@dpllm/runtime'
import type { CostedLinear } from './allocate-bits.js'
import { hitTarget, type TargetAllocation } from './hit-target.js'

/** How far an average may stay below its memory budget (DP-LLM's code, 1_find_maxmem.py). */
const TOLERANCE = 0.01

/**
 * Phase 1 of DP-LLM: the most bits B_i of every linear, so that what is loaded averages at most `budgetBits` and the sum of
 * the costs (`fisherCosts`) is least (appendix A, equations 4–6). A budget that holds all bits gives all.
 * @throws InfeasibleAllocationError if the fewest bits are above the budget
 */
export function chooseMaxBits(linears: readonly CostedLinear[], budgetBits: number): TargetAllocation {
  const most = linears.map(({ minBits, costs }) => minBits + costs.length - 1)
  const average = meanBits(linears, most)
  if (average > budgetBits) return hitTarget(linears, { targetBits: budgetBits, tolerance: TOLERANCE })
  const cost = linears.reduce((sum, { costs }) => sum + costs[costs.length - 1], 0)
  return { bits: most, averageBits: average, cost, gap: 0, leastBits: 0, hit: true }
}
