import type { KnapsackGroup } from './knapsack.js'
import type { KnapsackBound } from './knapsack-bound.js'
import { extendStates, noGroups, type States } from './knapsack-states.js'

export interface SearchOptions {
  readonly capacity: number
  readonly least: number
  readonly bound: KnapsackBound
  readonly beam: number
  /** Only solutions up to this cost are of interest. */
  readonly limit: number
}

/**
 * One run through the groups, whose least weights are 0, with at most `beam` partial solutions.
 * @returns the best solution, if there is one, and the least cost that what the beam cut off can have (Infinity: nothing was)
 */
export function searchKnapsack(
  groups: readonly KnapsackGroup[],
  { capacity, least, bound, beam, limit }: SearchOptions,
): { found: FoundChoices | undefined; dropped: number } {
  const { price, rest, credit } = bound
  const heaviestRest = new Float64Array(groups.length + 1)
  for (let i = groups.length - 1; i >= 0; i--) heaviestRest[i] = heaviestRest[i + 1] + Math.max(...groups[i].weights)
  let states = noGroups
  let dropped = Number.POSITIVE_INFINITY
  const trace = groups.map((group, i): Trace => {
    const [next, cut] = extendStates(states, group, {
      capacity,
      least,
      heaviestRest: heaviestRest[i + 1],
      price,
      rest: rest[i + 1],
      limit: limit + credit,
      beam,
    })
    dropped = Math.min(dropped, cut - credit)
    states = next
    return { parents: next.parents, choices: next.choices }
  })
  return { found: cheapest(states, trace), dropped }
}

/** The choices of a solution. */
export interface FoundChoices {
  readonly choices: readonly number[]
  readonly weight: number
  readonly cost: number
}

/** What leads back from a state to its choices. */
type Trace = Pick<States, 'parents' | 'choices'>

/** The cheapest of the whole solutions, the lightest of equal ones. */
function cheapest({ weights, costs }: States, trace: readonly Trace[]): FoundChoices | undefined {
  if (costs.length === 0) return undefined
  let last = 0
  for (let i = 1; i < costs.length; i++) if (costs[i] < costs[last]) last = i
  const choices: number[] = []
  for (let i = trace.length - 1, at = last; i >= 0; i--) {
    choices.push(trace[i].choices[at])
    at = trace[i].parents[at]
  }
  return { choices: choices.reverse(), weight: weights[last], cost: costs[last] }
}
