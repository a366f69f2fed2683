import { InvalidArgumentError } from '@dpllm/core'
import { knapsackBound } from './knapsack-bound.js'
import { type FoundChoices, searchKnapsack } from './knapsack-search.js'

/** One of these is to be chosen. */
export interface KnapsackGroup {
  /** Whole numbers of at least 0, one for each choice. */
  readonly weights: readonly number[]
  /** Finite numbers, one for each choice; they may rise and fall as they will. */
  readonly costs: readonly number[]
}

export interface KnapsackSolution {
  /** Index of the choice of each group. */
  readonly choices: readonly number[]
  readonly weight: number
  /** Sum of the costs in the order of the groups. */
  readonly cost: number
  /** No solution is cheaper by more than this: 0 is proof that none is, up to the rounding of f64 sums. */
  readonly gap: number
}

export interface KnapsackLimits {
  /** Most that the weights of the choices may sum to. */
  readonly capacity: number
  /** The least that they must sum to. Default 0. */
  readonly least?: number
}

/** Choices of one group: a byte each. */
const MAX_CHOICES = 256

/** Most partial solutions for the first groups, in three attempts. Tracing back takes 5 bytes of each: 0.15 GB for 224 groups. */
const BEAMS = [2 ** 10, 2 ** 14, 2 ** 17]

/** Bounds are sums of this relative precision at worst; what they exclude must be worse by more. */
const ROUNDING = 2 ** -40

/**
 * The multiple-choice knapsack: one choice of each group so that the weights sum to at most `capacity` and at least `least`
 * and the costs are least; among equal ones the lightest. Dynamic programming over lists of undominated partial solutions with
 * Lagrangian bounds (Pisinger 1995). There are never more partial solutions than different sums of weights, so that weights
 * that are multiples of a large number, as sizes of linears are, cost little; nor more than a fixed number: where that cuts
 * off what could have been better, the solution says by how much at most (`gap`).
 * @returns undefined if no choice is within the limits
 * @throws InvalidArgumentError for weights and costs that are no such numbers, and if no choice was found though there may be
 * one (`least` close to `capacity` for weights without a common divisor)
 */
export function solveKnapsack(
  groups: readonly KnapsackGroup[],
  { capacity, least = 0 }: KnapsackLimits,
): KnapsackSolution | undefined {
  checkGroups(groups)
  // From here on every group can add 0, and those that can add the most come first: the others fill what is left.
  const lightest = groups.map(({ weights }) => Math.min(...weights))
  const base = lightest.reduce((a, b) => a + b, 0)
  const heaviest = (g: KnapsackGroup) => Math.max(...g.weights)
  const ordered = groups
    .map(({ weights, costs }, i) => ({ i, costs, weights: weights.map((w) => w - lightest[i]) }))
    .sort((a, b) => heaviest(b) - heaviest(a) || a.i - b.i)
  // Mostly heavy enough without being asked, and then fewer partial solutions compare with one another.
  let solution = solveOrdered(ordered, capacity - base, 0)
  if (solution !== undefined && base + solution.weight < least) solution = solveOrdered(ordered, capacity - base, least - base)
  if (solution === undefined) return undefined

  const choices = groups.map(() => 0)
  for (const [at, { i }] of ordered.entries()) choices[i] = solution.choices[at]
  const sum = (of: 'weights' | 'costs') => choices.reduce((total, j, i) => total + groups[i][of][j], 0)
  return { choices, weight: sum('weights'), cost: sum('costs'), gap: solution.gap }
}

function solveOrdered(groups: readonly KnapsackGroup[], most: number, fewest: number): KnapsackSolution | undefined {
  const heaviest = groups.reduce((sum, { weights }) => sum + Math.max(...weights), 0)
  const capacity = Math.min(Math.floor(most), heaviest)
  const least = Math.max(Math.ceil(fewest), 0)
  if (!(least <= capacity)) return undefined
  const bound = knapsackBound(groups, capacity, least)
  const lowest = bound.rest[0] - bound.credit
  const slack = ROUNDING * groups.reduce((sum, { costs }) => sum + Math.max(...costs.map(Math.abs)), Math.abs(bound.credit))
  let best: FoundChoices | undefined
  let gap = Number.POSITIVE_INFINITY
  for (const beam of BEAMS) {
    const limit = (best?.cost ?? Number.POSITIVE_INFINITY) + slack
    const { found, dropped } = searchKnapsack(groups, { capacity, least, bound, beam, limit })
    if (best === undefined || (found !== undefined && found.cost < best.cost)) best = found
    if (best === undefined && dropped === Number.POSITIVE_INFINITY) return undefined
    if (best !== undefined) gap = best.cost - Math.max(dropped, lowest)
    if (gap <= slack) return { ...best!, gap: 0 }
  }
  if (best !== undefined) return { ...best, gap }
  throw new InvalidArgumentError('least', 'weights further apart from capacity: no choice between them was found', fewest)
}

function checkGroups(groups: readonly KnapsackGroup[]): void {
  groups.forEach(({ weights, costs }, i) => {
    const count = costs.length
    if (!(count >= 1 && count <= MAX_CHOICES && weights.length === count))
      throw new InvalidArgumentError(
        `groups[${i}]`,
        `1 to ${MAX_CHOICES} costs and as many weights`,
        `${count} and ${weights.length}`,
      )
    for (const weight of weights)
      if (!(Number.isSafeInteger(weight) && weight >= 0))
        throw new InvalidArgumentError(`groups[${i}].weights`, 'whole numbers of at least 0', weight)
    for (const cost of costs)
      if (!Number.isFinite(cost)) throw new InvalidArgumentError(`groups[${i}].costs`, 'finite numbers', cost)
  })
}
