import type { TuningReport } from '@dpllm/calibration'
import { markdownTable } from './table.js'

/** What tuning did, by average bits: the divergence from the original on held-out windows. */
export function tuningTable({ bits, before, after }: TuningReport): string {
  const rows = Object.keys(before)
    .sort((a, b) => Number(a) - Number(b))
    .map((t) => [t, before[t].toFixed(4), after[t].toFixed(4), verdict(Number(t), bits)])
  return markdownTable(
    [
      { title: 'bits', right: true },
      { title: 'divergence before', right: true },
      { title: 'after', right: true },
      { title: 'tables' },
    ],
    rows,
  )
}

function verdict(t: number, bits: readonly number[]): string {
  if (!Number.isInteger(t)) return 'mixed'
  return bits.includes(t) ? 'tuned' : 'kept'
}
