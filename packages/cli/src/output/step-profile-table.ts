import type { StepProfile } from '@dpllm/core'
import { markdownTable } from './table.js'

/** Where the time of a test's steps went, kinds of operators from the dearest to the cheapest. */
export function formatStepProfile(test: string, effectiveBits: number, { steps, total, operators }: StepProfile): string {
  const kinds = Object.entries(operators).sort(([, a], [, b]) => b - a)
  const inside = kinds.reduce((sum, [, ms]) => sum + ms, 0)
  const rows = [...kinds, ['handing over', total - inside] as const, ['step', total] as const]
  const title = `${test} at ${effectiveBits.toFixed(2)} bits`
  return markdownTable(
    [{ title }, { title: 'µs per step', right: true }, { title: '%', right: true }],
    rows.map(([name, ms]) => [name, ((1000 * ms) / steps).toFixed(1), ((100 * ms) / total).toFixed(2)]),
  )
}
