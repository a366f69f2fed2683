import type { StepProfile } from '@dpllm/core'
import { formatBytes, formatCount } from './format.js'
import { type Column, csv, markdownTable } from './table.js'

/** A line of `dpllm bench`; the keys are those of its JSON. */
export interface BenchLine {
  readonly model: string
  /** Bytes of the weights in memory. */
  readonly size: number
  readonly params: number
  readonly backend: string
  readonly threads: number
  readonly test: string
  readonly effectiveBits: number
  readonly tokensPerSecond: number
  readonly standardDeviation: number
  readonly samples: readonly number[]
  /** Null where the machine has no meter that can be read; the table then leaves it out. */
  readonly joulesPerToken: number | null
  readonly stepProfile?: StepProfile
}

export const benchFormats = ['md', 'json', 'jsonl', 'csv'] as const
export type BenchFormat = (typeof benchFormats)[number]

/** Writes lines in one of llama-bench's formats. */
export function formatBench(lines: readonly BenchLine[], format: BenchFormat): string {
  switch (format) {
    case 'md':
      return markdown(lines)
    case 'json':
      return `${JSON.stringify(lines, null, 2)}\n`
    case 'jsonl':
      return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    case 'csv': {
      const keys = [
        'model',
        'size',
        'params',
        'backend',
        'threads',
        'test',
        'effectiveBits',
        'tokensPerSecond',
        'standardDeviation',
        'joulesPerToken',
      ] as const
      return csv([keys, ...lines.map((line) => keys.map((key) => line[key] ?? ''))])
    }
  }
}

function markdown(lines: readonly BenchLine[]): string {
  const columns: Column[] = [
    { title: 'model' },
    { title: 'size', right: true },
    { title: 'params', right: true },
    { title: 'backend' },
    { title: 'threads', right: true },
    { title: 'test', right: true },
    { title: 'eff. bits', right: true },
    { title: 't/s', right: true },
  ]
  const energy = lines.some(({ joulesPerToken }) => joulesPerToken !== null)
  if (energy) columns.push({ title: 'J/token', right: true })
  const rows = lines.map((line) => [
    line.model,
    formatBytes(line.size),
    formatCount(line.params),
    line.backend,
    String(line.threads),
    line.test,
    line.effectiveBits.toFixed(2),
    `${line.tokensPerSecond.toFixed(2)} ± ${line.standardDeviation.toFixed(2)}`,
    ...(energy ? [line.joulesPerToken?.toPrecision(3) ?? ''] : []),
  ])
  return markdownTable(columns, rows)
}
