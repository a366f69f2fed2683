import { type Allocation, allocateBits, averageRange, type CostedLinear, findAllocation } from './allocate-bits.js'

/** An allocation whose average was to come close to a target. */
export interface TargetAllocation extends Allocation {
  /** The lower bound on the average with which it was found; 0 if none was needed. */
  readonly leastBits: number
  /** Whether the average is within the tolerance. If not, sizes of the linears allow none, and this is the nearest below. */
  readonly hit: boolean
}

export interface TargetOptions {
  readonly targetBits: number
  /** Bits that the average may be below the target. Default 0.005 (DP-LLM appendix B.2). */
  readonly tolerance?: number | undefined
}

/** Steps of the lower bound in a bit. */
const STEPS = 100

/** Averages nearer than this are equal. */
const ROUNDING = 1e-9

/**
 * Static bits for a target, by the protocol of DP-LLM's baselines (appendix B.2): the cheapest bits up to the target whose
 * average is also at least a lower bound, which rises from 0 in steps of 0.01 until the average is within the tolerance. It is
 * needed where costs do not fall with every bit, as LLM-MQ's. The last bound is target − tolerance itself, so that what can be
 * hit is hit. The average never falls as the bound rises, so that the first bound that is enough is found by bisection.
 * @throws InfeasibleAllocationError if even the fewest bits are above the target
 */
export function hitTarget(linears: readonly CostedLinear[], { targetBits, tolerance = 0.005 }: TargetOptions): TargetAllocation {
  const least = targetBits - tolerance
  const isEnough = ({ averageBits }: Allocation) => averageBits >= least - ROUNDING
  const unbounded = allocateBits(linears, { targetBits })
  if (isEnough(unbounded)) return { ...unbounded, leastBits: 0, hit: true }

  const boundOf = (step: number) => Math.min(step / STEPS, least)
  let tooLow = Math.floor(unbounded.averageBits * STEPS + ROUNDING)
  let enough = Math.ceil(least * STEPS - ROUNDING)
  let allocation = findAllocation(linears, { targetBits, leastBits: boundOf(enough) })
  if (allocation === undefined) {
    const leastBits = nearestAverages(linears, targetBits).below!
    return { ...allocateBits(linears, { targetBits, leastBits }), leastBits, hit: false }
  }
  while (enough - tooLow > 1) {
    const middle = Math.floor((tooLow + enough) / 2)
    const found = allocateBits(linears, { targetBits, leastBits: boundOf(middle) })
    if (isEnough(found)) [enough, allocation] = [middle, found]
    else tooLow = middle
  }
  return { ...allocation, leastBits: boundOf(enough), hit: true }
}

/** The averages next to a target that some choice of bits has; a target that is one itself stands on both sides. */
export function nearestAverages(
  linears: readonly CostedLinear[],
  targetBits: number,
): { below: number | undefined; above: number | undefined } {
  const bySize = (sign: number) =>
    linears.map(({ weights, minBits, costs }) => ({
      weights,
      minBits,
      costs: Array.from(costs, (_, j) => sign * (minBits + j) * weights),
    }))
  return {
    below: findAllocation(bySize(-1), { targetBits })?.averageBits,
    above: findAllocation(bySize(1), { targetBits: averageRange(linears)[1], leastBits: targetBits })?.averageBits,
  }
}
