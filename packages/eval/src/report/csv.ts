import type { SweepResult } from '../sweep/sweep-result.js'
import { type LatencyMeasurement, readMeasurements, type Subject } from './measurements.js'

const subjectColumns = ['model', 'tables', 'method', 'label', 'memoryBudget', 'targetBits', 'dataset'] as const
const columns = [...subjectColumns, 'metric', 'value', 'standardError', 'percentile1', 'percentile99', 'effectiveBits', 'command']

interface Row {
  readonly subject: Subject
  readonly metric: string
  readonly value: number
  readonly standardError?: number | undefined
  readonly percentiles?: { readonly 1: number; readonly 99: number }
  readonly effectiveBits: number
}

/** All numbers of a report as comma-separated values (RFC 4180): a line for each, after one with the names of the columns. */
export function reportCsv(results: readonly SweepResult[]): string {
  const { perplexities, scores, requestBits, latencies } = readMeasurements(results)
  const rows: Row[] = [
    ...perplexities.flatMap((item) => [
      {
        subject: item,
        metric: 'perplexity',
        value: item.perplexity,
        standardError: item.standardError,
        effectiveBits: item.effectiveBits,
      },
      ...(
        [
          ['klDivergence', item.klDivergence],
          ['topAgreement', item.topAgreement],
        ] as const
      ).flatMap(([metric, found]) =>
        found === undefined
          ? []
          : [{ subject: item, metric, value: found.mean, standardError: found.standardError, effectiveBits: item.effectiveBits }],
      ),
    ]),
    ...scores.map((item) => ({ subject: item, ...item })),
    ...requestBits.map((item) => ({
      subject: item,
      metric: 'requestBits',
      value: item.mean,
      percentiles: item.percentiles,
      effectiveBits: item.mean,
    })),
    ...latencies.flatMap(latencyRows),
  ]
  const lines = rows.map(({ subject, metric, value, standardError, percentiles, effectiveBits }) => [
    ...subjectColumns.map((column) => subject[column]),
    ...[metric, value, standardError, percentiles?.[1], percentiles?.[99], effectiveBits, subject.command],
  ])
  return [columns, ...lines].map((line) => `${line.map(field).join(',')}\r\n`).join('')
}

function latencyRows(item: LatencyMeasurement): Row[] {
  const effectiveBits = item.effectiveBits.mean
  const spreads = (['tokensPerSecond', 'timePerTokenMs', 'timeToFirstTokenMs'] as const).map((metric) => {
    const { mean, percentiles } = item[metric]
    return { subject: item, metric, value: mean, percentiles, effectiveBits }
  })
  if (item.selectorOverhead === null) return spreads
  return [
    ...spreads,
    { subject: item, metric: 'selectorTimeRatio', value: item.selectorOverhead.timeRatio.median, effectiveBits },
  ]
}

/** A text that a spreadsheet would take for a formula gets an apostrophe before it. */
function field(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
