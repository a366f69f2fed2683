import type { LatencyMeasurement } from '../measurements.js'

/** Most heat maps of one figure. */
const MOST_TARGETS = 5

/** The method that is shown closer: `budget` or else `dp-llm` if they were measured, else the first. */
export function dynamicMethod(items: readonly Pick<LatencyMeasurement, 'label' | 'method'>[]): string {
  const wanted = items.find(({ method }) => method === 'budget') ?? items.find(({ method }) => method === 'dp-llm') ?? items[0]
  return wanted?.label ?? ''
}

type Aimed = Pick<LatencyMeasurement, 'targetBits' | 'effectiveBits'>
const aim = ({ targetBits, effectiveBits }: Aimed): number => targetBits ?? effectiveBits.mean
const byTarget = <T extends Aimed>(items: readonly T[]): T[] => [...items].sort((a, b) => aim(a) - aim(b))

/** That of the middle target; of two the lower, which has more to decide. */
export function nearestTarget<T extends Aimed>(items: readonly T[]): T {
  return byTarget(items)[Math.floor((items.length - 1) / 2)]
}

/** Some of them, from the lowest target to the highest. */
export function spreadTargets<T extends Aimed>(items: readonly T[]): T[] {
  const sorted = byTarget(items)
  if (sorted.length <= MOST_TARGETS) return sorted
  return Array.from({ length: MOST_TARGETS }, (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (MOST_TARGETS - 1))])
}
