import type { LatencyTarget, Spread } from '@dpllm/eval'
import { markdownTable } from './table.js'

/** A row for each precision: means with standard deviations over the requests, and 99th percentiles. */
export function latencyTable(targets: readonly LatencyTarget[]): string {
  const titles = [
    'target bits',
    'effective bits',
    'first token, ms',
    '99 %',
    'per token, ms',
    '99 %',
    'tokens/s',
    'selector overhead',
  ]
  return markdownTable(
    titles.map((title) => ({ title, right: true })),
    targets.map((target) => [
      target.targetBits === null ? 'all' : String(target.targetBits),
      shown(target.effectiveBits, 3),
      shown(target.timeToFirstTokenMs, 1),
      target.timeToFirstTokenMs.percentiles[99].toFixed(1),
      shown(target.timePerTokenMs, 2),
      target.timePerTokenMs.percentiles[99].toFixed(2),
      shown(target.tokensPerSecond, 1),
      overhead(target),
    ]),
  )
}

function shown({ mean, standardDeviation }: Spread, digits: number): string {
  return `${mean.toFixed(digits)} ± ${standardDeviation.toFixed(digits)}`
}

/** Median, and quartiles. */
function overhead({ selectorOverhead }: LatencyTarget): string {
  if (selectorOverhead === null) return '–'
  const percent = (ratio: number) => (100 * (ratio - 1)).toFixed(1)
  const { median, low, high } = selectorOverhead.timeRatio
  return `${percent(median)} % (${percent(low)} … ${percent(high)})`
}
