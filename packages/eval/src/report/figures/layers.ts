import { type HeatCell, placeOfLinear } from '../chart/heat-map.js'
import type { Cell, Figure, Table } from '../figure.js'
import { bits, slug } from '../format.js'
import { figureGroups, type Group, groupBy, titled } from '../group.js'
import { type LinearBits, linearBits } from '../histogram.js'
import type { LatencyMeasurement } from '../measurements.js'
import { dynamicMethod, nearestTarget, spreadTargets } from './choose.js'
import { idOf } from './perplexity.js'

type Measured = LatencyMeasurement & { readonly linears: readonly LinearBits[] }

/** Where the bits go: by method, by target and over the answer; for each kind of tables. */
export function layerFigures(latencies: readonly LatencyMeasurement[]): Figure[] {
  return figureGroups(latencies).flatMap((group) => {
    const measured = group.items.flatMap((item) =>
      item.histogram === null || item.method === 'uniform' ? [] : [{ ...item, linears: linearBits(item.histogram) }],
    )
    const tables = [...groupBy(measured, (item) => item.tables)]
    return tables.flatMap(([name, items]) => {
      const within = { ...group, details: [...group.details, ...(name !== null && tables.length > 1 ? [name] : [])] }
      return figuresOf(within, items, name)
    })
  })
}

function figuresOf(group: Group<LatencyMeasurement>, items: readonly Measured[], tables: string | null): Figure[] {
  const methods = [...groupBy(items, ({ label }) => label).values()]
  const middle = methods.map(nearestTarget)
  const chosen = dynamicMethod(items)
  const ours = spreadTargets(items.filter(({ label }) => label === chosen))
  const suffix = tables === null ? '' : `-${slug(tables)}`
  const where = `of ${group.model}, in the mean over the answers to ${group.dataset}`
  const make = (
    kind: string,
    title: string,
    caption: string,
    panels: readonly { title: string; item: Measured; cells: HeatCell[] }[],
  ): Figure[] =>
    panels.every(({ cells }) => cells.length === 0)
      ? []
      : [
          {
            id: `${idOf(kind, group)}${suffix}`,
            title: titled(title, group),
            caption,
            drawing: { kind: 'heat-maps', panels: panels.map(({ title: text, cells }) => ({ title: text, cells })) },
            table: heatTable(panels),
            commands: [...new Set(panels.map(({ item }) => item.command))],
          },
        ]
  const byTarget = ours.map((item) => ({ title: targetText(item), item, cells: linearCells(item) }))
  const byMethod = middle.map((item) => ({ title: `${item.label} at ${targetText(item)}`, item, cells: linearCells(item) }))
  const overTime = middle
    .filter(({ label }) => label === chosen)
    .map((item) => ({ title: `${item.label} at ${targetText(item)}`, item, cells: timeCells(item) }))
  return [
    ...make(
      'layers',
      `Bits of each layer with ${chosen}`,
      `Mean bits that each linear read ${where}, at ${ours.length === 1 ? 'its target' : `${ours.length} targets`} of ${chosen}.`,
      byTarget,
    ),
    ...(methods.length > 1
      ? make(
          'layers-by-method',
          'Bits of each layer by method',
          `The same for each method, at its target in the middle.`,
          byMethod,
        )
      : []),
    ...make(
      'layers-over-time',
      'Bits of each layer over the answer',
      `Mean bits that each layer read in the course of answers, weighted by the sizes of its linears: from their first tokens above to their last below.`,
      overTime,
    ),
  ]
}

const targetText = ({ targetBits, effectiveBits }: LatencyMeasurement): string => `${bits(targetBits ?? effectiveBits.mean)} bits`

function linearCells({ linears }: Measured): HeatCell[] {
  return linears.flatMap(({ module, mean }) => {
    const place = placeOfLinear(module)
    return place === undefined ? [] : [{ ...place, bits: mean }]
  })
}

function timeCells({ linears }: Measured): HeatCell[] {
  const placed = linears.flatMap((linear) => {
    const place = placeOfLinear(linear.module)
    return place === undefined
      ? []
      : linear.parts.map((part) => ({
          ...part,
          layer: place.layer,
          weights: linear.weights,
          module: `${part.first}–${part.last}`,
        }))
  })
  const cells = [...groupBy(placed, ({ layer, module }) => JSON.stringify([layer, module])).values()]
  return cells.map((parts) => {
    const weights = parts.reduce((sum, part) => sum + part.weights, 0)
    return {
      layer: parts[0].layer,
      module: parts[0].module,
      bits: parts.reduce((sum, part) => sum + part.mean * part.weights, 0) / weights,
    }
  })
}

/** A row for each heat map, a column for each row of it: the mean over layers, and below it the least and the most. */
function heatTable(panels: readonly { readonly title: string; readonly cells: readonly HeatCell[] }[]): Table {
  const modules = [...new Set(panels.flatMap(({ cells }) => cells.map(({ module }) => module)))]
  const rows = panels.map(({ title, cells }): Cell[] => [
    { text: title },
    ...modules.map((module) => {
      const read = cells.filter((cell) => cell.module === module).map((cell) => cell.bits)
      if (read.length === 0) return { text: '' }
      const mean = read.reduce((sum, value) => sum + value, 0) / read.length
      return { text: mean.toFixed(2), note: `${Math.min(...read).toFixed(2)}–${Math.max(...read).toFixed(2)}` }
    }),
  ])
  return { columns: [{ title: 'mean over layers' }, ...modules.map((title) => ({ title, numeric: true }))], rows }
}
