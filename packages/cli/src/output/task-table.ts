import type { GroupSummary, TaskSummary } from '@dpllm/eval'
import { markdownTable } from './table.js'

/** Scores with standard errors; the parts of a task below the whole. */
export function taskTable(name: string, summary: TaskSummary): string {
  const bits = summary.effectiveBits.toFixed(3)
  const rows = (title: string, { samples, scores }: GroupSummary, last: string) =>
    scores.map(({ metric, value, standardError }) => [
      title,
      metric,
      value.toFixed(4),
      standardError.toFixed(4),
      String(samples),
      last,
    ])
  const columns = ['task', 'metric', 'value', '± std. error', 'samples', 'eff. bits'].map((title, i) => ({ title, right: i > 1 }))
  const parts = Object.entries(summary.groups)
  return markdownTable(columns, [
    ...rows(name, summary, bits),
    ...(parts.length > 1 ? parts.flatMap(([part, group]) => rows(`- ${part}`, group, '')) : []),
  ])
}
