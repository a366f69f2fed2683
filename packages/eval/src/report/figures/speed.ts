import type { Figure } from '../figure.js'
import { bits, digits, percentChange, slug } from '../format.js'
import { figureGroups, type Group, groupBy, titled } from '../group.js'
import type { LatencyMeasurement, PerplexityMeasurement, Subject } from '../measurements.js'
import { paretoFront } from '../pareto.js'
import { bitsAxis, methodPanels, methodTable, type Reading, type Styles, type TableReading } from './by-method.js'
import { idOf } from './perplexity.js'

/** Tokens per second by bits, and what a point of quality costs in speed. */
export function speedFigures(
  latencies: readonly LatencyMeasurement[],
  perplexities: readonly PerplexityMeasurement[],
  styles: Styles,
): Figure[] {
  return figureGroups(latencies).flatMap((group) =>
    group.items.length === 0 ? [] : [speedFigure(group, styles), ...frontFigures(group, perplexities, styles)],
  )
}

function speedFigure(group: Group<LatencyMeasurement>, styles: Styles): Figure {
  const { items, baseline } = group
  const speed = ({ tokensPerSecond: { mean } }: LatencyMeasurement) => digits(mean, 3)
  const reading: TableReading<LatencyMeasurement> = {
    value: ({ tokensPerSecond }) => tokensPerSecond.mean,
    range: ({ tokensPerSecond: { percentiles } }) => [percentiles[1], percentiles[99]],
    bits: ({ effectiveBits }) => effectiveBits.mean,
    text: speed,
    note: (item) => `first ${digits(item.timeToFirstTokenMs.percentiles[50], 3)} ms${overheadText(item)}`,
    best: 'most',
  }
  const rule = baseline && { y: baseline.tokensPerSecond.mean, text: `unquantized, ${digits(baseline.tokensPerSecond.mean, 3)}` }
  const counts = [...new Set(items.map(({ requests }) => requests.length))].sort((a, b) => a - b)
  return {
    id: idOf('speed', group),
    title: titled('Speed against bits', group),
    caption: `Tokens per second of ${group.model} after the first, mean over ${counts.join(' to ')} requests of ${items[0].maxTokens} tokens (${group.dataset}); bars reach from the 1st to the 99th percentile. Times are of the machine that the sweep ran on. In the table also the median time to the first token, and by how much deciding bits makes a token take longer than fixed bits would.`,
    drawing: {
      kind: 'lines',
      x: bitsAxis,
      y: { title: 'tokens per second, higher is better', zero: true },
      panels: methodPanels(items, reading, styles, rule),
    },
    table: methodTable(items, reading, baseline && `${speed(baseline)} tokens/s`),
    commands: [...(baseline ? [baseline] : []), ...items].map(({ command }) => command),
  }
}

function overheadText({ selectorOverhead }: LatencyMeasurement): string {
  if (selectorOverhead === null) return ''
  return `, deciding ${percentChange(selectorOverhead.timeRatio.median - 1)}`
}

/** A setting of a model, whatever was measured of it. */
const setting = ({ model, tables, label, memoryBudget, targetBits }: Subject): string =>
  JSON.stringify([model, tables, label, memoryBudget, targetBits])

function frontFigures(
  group: Group<LatencyMeasurement>,
  perplexities: readonly PerplexityMeasurement[],
  styles: Styles,
): Figure[] {
  const datasets = groupBy(
    perplexities.filter(({ model }) => model === group.model),
    ({ dataset }) => dataset,
  )
  return [...datasets].flatMap(([dataset, measured]) => {
    const bySetting = new Map(measured.map((item) => [setting(item), item]))
    const both = group.items.flatMap((speed) => {
      const quality = bySetting.get(setting(speed))
      return quality === undefined ? [] : [{ ...speed, quality, perplexity: quality.perplexity, x: speed.tokensPerSecond.mean }]
    })
    return both.length < 2 ? [] : [frontFigure(group, dataset, both, styles)]
  })
}

type Both = LatencyMeasurement & { readonly quality: PerplexityMeasurement; readonly perplexity: number; readonly x: number }

function frontFigure(group: Group<LatencyMeasurement>, dataset: string, both: readonly Both[], styles: Styles): Figure {
  const front = paretoFront(
    both,
    ({ x }) => x,
    ({ perplexity }) => perplexity,
  )
  const line = front.map(({ x, perplexity: y }) => ({ x, y }))
  const reading: Reading<Both> = {
    value: ({ perplexity }) => perplexity,
    bits: ({ x }) => x,
    order: ({ effectiveBits }) => effectiveBits.mean,
    label: (item) => (front.includes(item) ? `${bits(item.targetBits ?? item.effectiveBits.mean)} bits` : undefined),
  }
  const rows = [...both]
    .sort((a, b) => b.x - a.x)
    .map((item) => [
      { text: item.label, ...(item.tables !== null && { note: item.tables }) },
      { text: item.effectiveBits.mean.toFixed(2) },
      { text: digits(item.x, 3) },
      { text: item.perplexity.toFixed(3) },
      { text: front.includes(item) ? 'yes' : '', best: front.includes(item) },
    ])
  return {
    id: `${idOf('front', group)}-${slug(dataset)}`,
    title: `What speed costs: perplexity on ${dataset}${group.details.map((detail) => `, ${detail}`).join('')}`,
    caption: `Each point is a method at a target. The broad line is the Pareto front: nothing measured is both faster and better than its points, which carry their bits. Right and below is better.`,
    drawing: {
      kind: 'lines',
      x: { title: 'tokens per second, higher is better' },
      y: { title: `perplexity, lower is better` },
      panels: methodPanels(both, reading, styles).map((panel) => ({ ...panel, front: line })),
    },
    table: {
      columns: [
        { title: 'method' },
        ...['bits', 'tokens/s', 'perplexity'].map((title) => ({ title, numeric: true })),
        { title: 'on the front' },
      ],
      rows,
    },
    commands: both.flatMap(({ command, quality }) => [quality.command, command]),
  }
}
