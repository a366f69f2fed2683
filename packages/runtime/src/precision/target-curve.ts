import { meanBits } from './mean-bits.js'

/** Averages of all linears at a target. */
export interface TargetPoint {
  readonly targetBits: number
  /** One for each linear. */
  readonly averageBits: ArrayLike<number>
}

/** A linear's size, and the averages that it can have. */
export interface AverageBounds {
  /** Number of its weights. */
  readonly weights: number
  readonly least: number
  readonly most: number
}

/** Averages of all linears at every target from one end to the other. */
export interface TargetCurve {
  /** The targets at which all linears read their fewest and their most bits. */
  readonly range: readonly [least: number, most: number]
  /** f64 [linears]; targets beyond the range are taken for its ends. */
  at(targetBits: number): Float64Array
}

/**
 * Averages between those of some targets: linear in the target, below the first towards the fewest bits of every linear and
 * above the last towards the most, so that their mean, weighted by parameters, is linear in the target, too.
 * @param points ascending by target; averages beyond a linear's bounds are taken for these
 */
export function createTargetCurve(points: readonly TargetPoint[], bounds: readonly AverageBounds[]): TargetCurve {
  const knots = points.map(({ targetBits, averageBits }) => ({
    targetBits,
    averages: Float64Array.from(bounds, ({ least, most }, i) => clamp(averageBits[i], least, most)),
  }))
  const [floor, ceiling] = (['least', 'most'] as const).map((end) => {
    const averages = Float64Array.from(bounds, (linear) => linear[end])
    return { targetBits: meanBits(bounds, averages), averages }
  })
  if (floor.targetBits < knots[0].targetBits) knots.unshift(floor)
  if (ceiling.targetBits > knots[knots.length - 1].targetBits) knots.push(ceiling)
  const range = [knots[0].targetBits, knots[knots.length - 1].targetBits] as const

  return {
    range,
    at: (targetBits) => {
      const t = clamp(targetBits, ...range)
      const above = Math.max(
        knots.findIndex((knot) => knot.targetBits >= t),
        0,
      )
      const [from, to] = [knots[Math.max(above - 1, 0)], knots[above]]
      if (to.targetBits === t) return to.averages.slice()
      const part = (t - from.targetBits) / (to.targetBits - from.targetBits)
      return from.averages.map((p, i) => clamp(p + part * (to.averages[i] - p), bounds[i].least, bounds[i].most))
    },
  }
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}
