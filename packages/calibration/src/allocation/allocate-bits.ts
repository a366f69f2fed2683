import { InvalidArgumentError } from '@dpllm/core'
import { meanBits } from '@dpllm/runtime'
import { InfeasibleAllocationError } from './infeasible.js'
import { solveKnapsack } from './knapsack.js'

/** A linear that is to be given a bit count, and what each would cost. */
export interface CostedLinear {
  /** Number of its weights, N · K. */
  readonly weights: number
  /** Fewest bits that it can be given. */
  readonly minBits: number
  /** Finite; costs[j] is that of minBits + j bits. A shorter table caps the bits (`capBits`). */
  readonly costs: ArrayLike<number>
}

/** A bit count for each linear. */
export interface Allocation {
  /** In the order of the linears. */
  readonly bits: readonly number[]
  /** Mean bits, each linear counted by its number of weights (DP-LLM §6.1). */
  readonly averageBits: number
  /** Sum of the costs. */
  readonly cost: number
  /** No other choice within the budget is cheaper by more than this: 0 is proof that none is. */
  readonly gap: number
}

/** Average bits that an allocation keeps to. */
export interface AverageBudget {
  /** Most bits for each weight, on average. */
  readonly targetBits: number
  /** The least, on average: for costs that do not fall with every bit (DP-LLM appendix B.2). Default none. */
  readonly leastBits?: number | undefined
}

/**
 * Bits of least cost within an average: min Σ_i c_i[b_i] with Σ_i b_i M_i <= targetBits · Σ_i M_i and >= leastBits · Σ_i M_i
 * (DP-LLM appendix A; its integer linear program, solved as a knapsack). Exact where `gap` is 0, which it is for the sizes of
 * real models; of equal costs the fewest bits. Tables that cost less at every further bit use the budget up as far as sizes
 * allow; others may not.
 * @throws InfeasibleAllocationError if no choice is within the budget
 */
export function allocateBits(linears: readonly CostedLinear[], budget: AverageBudget): Allocation {
  const allocation = findAllocation(linears, budget)
  if (allocation !== undefined) return allocation
  const { targetBits, leastBits = 0 } = budget
  const wanted = leastBits > 0 ? `an average of ${leastBits} to ${targetBits} bits` : `an average of ${targetBits} bits`
  throw new InfeasibleAllocationError(wanted, averageRange(linears), 'bits')
}

/** As `allocateBits`; undefined if no choice is within the budget. */
export function findAllocation(linears: readonly CostedLinear[], budget: AverageBudget): Allocation | undefined {
  const { targetBits, leastBits = 0 } = budget
  checkLinears(linears)
  if (!Number.isFinite(targetBits)) throw new InvalidArgumentError('targetBits', 'an average of bits', targetBits)
  const unit = linears.reduce((a, { weights }) => greatestCommonDivisor(a, weights), 0)
  const total = linears.reduce((sum, { weights }) => sum + weights / unit, 0)
  const groups = linears.map(({ weights, minBits, costs }) => ({
    weights: Array.from(costs, (_, j) => (minBits + j) * (weights / unit)),
    costs: Array.from(costs),
  }))
  const solution = solveKnapsack(groups, {
    capacity: targetBits * total * (1 + ROUNDING),
    least: leastBits * total * (1 - ROUNDING),
  })
  if (solution === undefined) return undefined
  const { choices, weight, cost, gap } = solution
  return { bits: choices.map((j, i) => linears[i].minBits + j), averageBits: weight / total, cost, gap }
}

/** So that 4.1 · 10 is 41, whatever rounding makes of it. */
const ROUNDING = 2 ** -50

/** Averages of the fewest and of the most bits. */
export function averageRange(linears: readonly CostedLinear[]): [least: number, most: number] {
  const fewest = linears.map(({ minBits }) => minBits)
  const most = linears.map(({ minBits, costs }) => minBits + costs.length - 1)
  return [meanBits(linears, fewest), meanBits(linears, most)]
}

/** The linears with only the candidates up to `maxBits`, one for each linear: what is loaded under a memory budget. */
export function capBits(linears: readonly CostedLinear[], maxBits: readonly number[]): CostedLinear[] {
  return linears.map(({ weights, minBits, costs }, i) => {
    if (!(maxBits[i] >= minBits))
      throw new InvalidArgumentError(`maxBits[${i}]`, `at least ${minBits}, the fewest bits of the linear`, maxBits[i])
    return { weights, minBits, costs: Array.from(costs).slice(0, maxBits[i] - minBits + 1) }
  })
}

function checkLinears(linears: readonly CostedLinear[]): void {
  if (linears.length === 0) throw new InvalidArgumentError('linears', 'at least one linear', 'none')
  linears.forEach(({ weights, minBits }, i) => {
    if (!(Number.isSafeInteger(weights) && weights > 0))
      throw new InvalidArgumentError(`linears[${i}].weights`, 'a whole number above 0', weights)
    if (!(Number.isInteger(minBits) && minBits >= 0))
      throw new InvalidArgumentError(`linears[${i}].minBits`, 'a whole number of at least 0', minBits)
  })
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
