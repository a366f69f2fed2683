import type { Figure } from '../figure.js'
import { percentChange } from '../format.js'
import { figureGroups, titled } from '../group.js'
import type { LatencyMeasurement, RequestBitsMeasurement } from '../measurements.js'
import { methodPanels, methodTable, type Styles, type TableReading } from './by-method.js'
import { idOf } from './perplexity.js'

/** How far single requests are from their target; of latency's requests where `eval bits` was not run. */
export function requestFigures(
  requestBits: readonly RequestBitsMeasurement[],
  latencies: readonly LatencyMeasurement[],
  styles: Styles,
): Figure[] {
  const measured =
    requestBits.length > 0
      ? requestBits.map((item) => ({ ...item, spread: item, count: item.effectiveBits.length }))
      : latencies.map((item) => ({ ...item, spread: item.effectiveBits, count: item.requests.length }))
  const aimed = measured.flatMap((item) =>
    item.targetBits === null || item.method === 'uniform' || item.method === 'unquantized'
      ? []
      : [{ ...item, target: item.targetBits }],
  )
  type Aimed = (typeof aimed)[number]
  const off = ({ target }: Aimed, bits: number) => bits / target - 1
  return figureGroups<Aimed>(aimed).map((group) => {
    const reading: TableReading<Aimed> = {
      value: (item) => off(item, item.spread.mean),
      range: (item) => [off(item, item.spread.percentiles[1]), off(item, item.spread.percentiles[99])],
      bits: ({ target }) => target,
      text: (item) =>
        [item.spread.mean, item.spread.percentiles[1], item.spread.percentiles[99]]
          .map((value) => percentChange(off(item, value), 2))
          .join(' / '),
      note: ({ spread }) => `${spread.mean.toFixed(3)} bits`,
      best: 'none',
    }
    const counts = [...new Set(group.items.map(({ count }) => count))].sort((a, b) => a - b)
    return {
      id: idOf('requests', group),
      title: titled('Bits of single requests', group),
      caption: `How far the effective bits of single requests are from their target: mean over ${counts.join(' to ')} requests to ${group.model} (${group.dataset}), bars from the 1st to the 99th percentile; in the table mean / 1st / 99th percentile.`,
      drawing: {
        kind: 'lines',
        x: { title: 'target bits' },
        y: { title: 'off the target', format: '+~%' },
        panels: methodPanels(group.items, reading, styles, { y: 0, text: 'on target' }),
      },
      table: methodTable(group.items, reading),
      commands: group.items.map(({ command }) => command),
    }
  })
}
