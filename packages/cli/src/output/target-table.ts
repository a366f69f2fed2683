import { type ProfileData, type ProfileTarget, profileTargets } from '@dpllm/runtime'
import { markdownTable } from './table.js'

/**
 * What a profile measured for the targets that it was asked for, ascending, each once. A target beyond the bits that model and
 * budget allow has what was measured at the nearest one.
 */
export function measuredNear(profile: ProfileData, targets: readonly number[]): ProfileTarget[] {
  const measured = profileTargets(profile)
  const asked = [...new Set(targets)].sort((a, b) => a - b)
  return asked.map((targetBits) => {
    const missOf = (target: ProfileTarget) => Math.abs(target.targetBits - targetBits)
    const nearest = measured.reduce((best, next) => (missOf(next) < missOf(best) ? next : best))
    return { targetBits, measuredBits: nearest.measuredBits }
  })
}

/** @param isStatic whether the same bits are read on every text */
export function targetTable(targets: readonly ProfileTarget[], isStatic: boolean): string {
  return markdownTable(
    [
      { title: 'target bits', right: true },
      { title: isStatic ? 'average bits' : 'bits on the calibration text', right: true },
    ],
    targets.map(({ targetBits, measuredBits }) => [String(targetBits), measuredBits.toFixed(3)]),
  )
}
