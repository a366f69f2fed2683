import type { KnapsackGroup } from './knapsack.js'

/** Partial solutions for the first groups, by ascending weight, no two of the same weight. */
export interface States {
  readonly weights: Float64Array
  readonly costs: Float64Array
  /** Index of each among the states before, and the choice that was added to it. */
  readonly parents: Int32Array
  readonly choices: Uint8Array
}

export interface ExtendOptions {
  /** Weight that all groups together may have at most and must have at least. */
  readonly capacity: number
  readonly least: number
  /** The most that the groups behind this one can still add; they can all add 0. */
  readonly heaviestRest: number
  /** λ, and the least that the groups behind this one add to cost + λ · weight. */
  readonly price: number
  readonly rest: number
  /** States whose cost + λ · weight + rest is above this lead to nothing better than what is known. */
  readonly limit: number
  /** Most states to keep: those of the lowest cost + λ · weight. */
  readonly beam: number
}

/** The one solution for no groups. */
export const noGroups: States = {
  weights: new Float64Array(1),
  costs: new Float64Array(1),
  parents: new Int32Array(1),
  choices: new Uint8Array(1),
}

/**
 * Solutions for one group more, without those that cannot become the best: dearer than another of the same weight, or than a
 * lighter one that is heavy enough already; too light or too heavy for the rest to mend; above the limit.
 * @returns the states, and the least cost + λ · weight + rest among those dropped for the beam (Infinity: none was)
 */
export function extendStates(states: States, group: KnapsackGroup, options: ExtendOptions): [States, number] {
  const { capacity, least, heaviestRest, price, rest, limit } = options
  const before = states.weights.length
  const room = before * group.costs.length
  const next = {
    weights: new Float64Array(room),
    costs: new Float64Array(room),
    parents: new Int32Array(room),
    choices: new Uint8Array(room),
  }
  let count = 0
  let cheapestHeavy = Number.POSITIVE_INFINITY
  const heads = new Int32Array(group.costs.length)
  for (;;) {
    // A merge of sorted lists, one for each choice: the lightest candidate comes next.
    let choice = -1
    let weight = Number.POSITIVE_INFINITY
    for (let j = 0; j < heads.length; j++) {
      if (heads[j] === before || states.weights[heads[j]] + group.weights[j] >= weight) continue
      choice = j
      weight = states.weights[heads[j]] + group.weights[j]
    }
    if (choice < 0 || weight > capacity) break
    const parent = heads[choice]++
    const cost = states.costs[parent] + group.costs[choice]
    if (weight + heaviestRest < least || cost + price * weight + rest > limit || cost >= cheapestHeavy) continue
    if (weight >= least) cheapestHeavy = cost
    if (count === 0 || next.weights[count - 1] < weight) count++
    else if (next.costs[count - 1] <= cost) continue
    next.weights[count - 1] = weight
    next.costs[count - 1] = cost
    next.parents[count - 1] = parent
    next.choices[count - 1] = choice
  }
  return keepBest(next, count, options)
}

/** The first `count` states, but for those beyond the beam; of equal bounds, some of every weight are kept. */
function keepBest({ weights, costs, parents, choices }: States, count: number, options: ExtendOptions): [States, number] {
  const { price, rest, beam } = options
  const firstOf = (n: number): States => ({
    weights: weights.slice(0, n),
    costs: costs.slice(0, n),
    parents: parents.slice(0, n),
    choices: choices.slice(0, n),
  })
  if (count <= beam) return [firstOf(count), Number.POSITIVE_INFINITY]
  const bounds = Float64Array.from({ length: count }, (_, i) => costs[i] + price * weights[i])
  const dropped = bounds.toSorted()[beam]
  const below = bounds.reduce((n, bound) => n + Number(bound < dropped), 0)
  const tied = bounds.reduce((n, bound) => n + Number(bound === dropped), 0)
  let kept = 0
  let tie = 0
  for (let i = 0; i < count; i++) {
    if (bounds[i] > dropped || (bounds[i] === dropped && !isSpread(tie++, tied, beam - below))) continue
    weights[kept] = weights[i]
    costs[kept] = costs[i]
    parents[kept] = parents[i]
    choices[kept] = choices[i]
    kept++
  }
  return [firstOf(kept), dropped + rest]
}

/** Whether `index` is among `part` of `total` that lie evenly. */
function isSpread(index: number, total: number, part: number): boolean {
  return Math.floor(((index + 1) * part) / total) > Math.floor((index * part) / total)
}
