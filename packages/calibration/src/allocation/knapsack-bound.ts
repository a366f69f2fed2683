import type { KnapsackGroup } from './knapsack.js'

/** What a unit of weight is worth, and the cost that no solution can be below at this price. */
export interface KnapsackBound {
  /** λ: negative where solutions have to be made heavier than they would be. */
  readonly price: number
  /** rest[i]: Σ over the groups from i of the least cost + λ · weight; [groups + 1]. */
  readonly rest: Float64Array
  /** λ times the end of the allowed weights that is in the way. */
  readonly credit: number
}

/**
 * The Lagrangian bound of a multiple-choice knapsack: for every λ >= 0, Σ_i min_j (c_ij + λ w_ij) − λ · capacity is at most
 * the least cost, and for λ <= 0 the same holds with `least` instead. The best λ is the slope, on the lower convex hulls of
 * all groups, at which the weight crosses the capacity (Sinha and Zoltners 1979): the groups start at their lightest choices
 * and climb their hulls, the steps of steepest descent first.
 */
export function knapsackBound(groups: readonly KnapsackGroup[], capacity: number, least: number): KnapsackBound {
  let weight = 0
  for (const { weights } of groups) weight += Math.min(...weights)
  const steps = groups.flatMap(hullSteps).sort((a, b) => a.slope - b.slope)
  let price = 0
  for (const step of steps) {
    // Descending steps are wanted but for the capacity; rising ones are not but for the least weight.
    if (step.slope < 0 ? weight + step.weight > capacity : weight < least) {
      price = -step.slope
      if (step.slope < 0) break
    }
    weight += step.weight
  }
  const rest = new Float64Array(groups.length + 1)
  for (let i = groups.length - 1; i >= 0; i--) {
    const { weights, costs } = groups[i]
    let best = Number.POSITIVE_INFINITY
    for (let j = 0; j < costs.length; j++) best = Math.min(best, costs[j] + price * weights[j])
    rest[i] = rest[i + 1] + best
  }
  return { price, rest, credit: price * (price < 0 ? least : capacity) }
}

/** Steps between the corners of the lower convex hull of (weight, cost), lightest first: slopes ascend. */
function hullSteps({ weights, costs }: KnapsackGroup): { slope: number; weight: number }[] {
  const order = Array.from(costs, (_, j) => j).sort((a, b) => weights[a] - weights[b] || costs[a] - costs[b])
  const slope = (a: number, b: number) => (costs[b] - costs[a]) / (weights[b] - weights[a])
  const hull: number[] = []
  for (const j of order) {
    if (hull.length > 0 && weights[j] === weights[hull[hull.length - 1]]) continue
    while (hull.length > 1 && slope(hull[hull.length - 2], hull[hull.length - 1]) >= slope(hull[hull.length - 2], j)) hull.pop()
    hull.push(j)
  }
  return hull.slice(1).map((j, i) => ({ slope: slope(hull[i], j), weight: weights[j] - weights[hull[i]] }))
}
