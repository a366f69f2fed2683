import type { Axis, LinePanel, Rule } from '../chart/line-chart.js'
import type { SeriesStyle } from '../chart/series-style.js'
import type { Cell, Table } from '../figure.js'
import { bits } from '../format.js'
import { groupBy } from '../group.js'
import type { Subject } from '../measurements.js'

/** How a figure of methods reads a measurement. */
export interface Reading<T> {
  readonly value: (item: T) => number
  /** How far the value may reach. */
  readonly range?: (item: T) => readonly [low: number, high: number] | undefined
  /** Along the axis. */
  readonly bits: (item: T) => number
  /** What a line's points are in the order of; default along the axis. */
  readonly order?: (item: T) => number
  /** Written at its point. */
  readonly label?: (item: T) => string | undefined
}

/** How a table of methods reads it. */
export interface TableReading<T> extends Reading<T> {
  readonly text: (item: T) => string
  /** Smaller, below it; by default the bits that it really took, if not those of its target. */
  readonly note?: (item: T) => string
  readonly best: 'least' | 'most' | 'none'
}

/** The usual one across. */
export const bitsAxis: Axis = { title: 'effective bits per weight', step: 0.5 }

export type Styles = ReadonlyMap<string, SeriesStyle>

/** A panel for each kind of tables, and in it a series for each method. */
export function methodPanels<T extends Subject>(
  items: readonly T[],
  reading: Reading<T>,
  styles: Styles,
  rule?: Rule,
): LinePanel[] {
  const order = reading.order ?? reading.bits
  return [...groupBy(items, ({ tables }) => tables)].map(([tables, members]) => ({
    title: tables ?? '',
    series: [...groupBy(members, ({ label }) => label)].map(([name, points]) => ({
      name,
      style: styles.get(name)!,
      points: [...points]
        .sort((a, b) => order(a) - order(b))
        .map((item) => ({
          x: reading.bits(item),
          y: reading.value(item),
          range: reading.range?.(item),
          label: reading.label?.(item),
        })),
    })),
    rule,
  }))
}

/**
 * A row for each method and kind of tables, a column for each target; below a value the bits that it really took, where they
 * are others.
 * @param baseline the same of the unquantized model
 */
export function methodTable<T extends Subject>(items: readonly T[], reading: TableReading<T>, baseline?: string): Table {
  const targetOf = (item: T) => item.targetBits ?? Number(reading.bits(item).toFixed(2))
  const targets = [...new Set(items.map(targetOf))].sort((a, b) => a - b)
  const best = targets.map((target) => bestOf(items.filter((item) => targetOf(item) === target).map(reading.value), reading.best))
  const cellOf = (row: readonly T[], column: number): Cell => {
    const item = row.find((one) => targetOf(one) === targets[column])
    if (item === undefined) return { text: '' }
    const took = reading.bits(item).toFixed(2)
    const note =
      reading.note === undefined ? (took === targets[column].toFixed(2) ? undefined : `${took} bits`) : reading.note(item)
    return { text: reading.text(item), best: reading.value(item) === best[column], ...(note !== undefined && { note }) }
  }
  const rows = [...groupBy(items, ({ tables }) => tables)].flatMap(([tables, members]) =>
    [...groupBy(members, ({ label }) => label)].map(([text, row]) => [
      { text, ...(tables !== null && { note: tables }) },
      ...targets.map((_, i) => cellOf(row, i)),
    ]),
  )
  const note = baseline === undefined ? undefined : `Unquantized: ${baseline}`
  return {
    columns: [{ title: 'method' }, ...targets.map((target) => ({ title: `${bits(target)} bits`, numeric: true }))],
    rows,
    note,
  }
}

/** The best of several values; NaN, which no value is, where none is better than all others. */
function bestOf(values: readonly number[], best: TableReading<unknown>['best']): number {
  if (values.length < 2 || best === 'none') return Number.NaN
  const found = best === 'least' ? Math.min(...values) : Math.max(...values)
  return values.filter((value) => value === found).length === 1 ? found : Number.NaN
}
