import { axes } from './axes.js'
import type { Plot } from './draw.js'
import type { LineChart, LinePanel } from './line-chart.js'
import { type Layer, labels, line, plot, points, strokes } from './marks.js'
import { placeLabels } from './place-labels.js'
import { type AxisScale, axisScale } from './scales.js'
import type { SeriesStyle } from './series-style.js'
import type { Theme } from './theme.js'

/** Pixels. */
const PADDING = { left: 46, right: 14, top: 46, untitled: 28, bottom: 42 }
const NAME = { size: 12, gap: 16, offset: 12, width: (text: string) => 6.4 * text.length + 26 }
/** Letters of the longest name. */
const LONGEST = 34
const MOST_LEADERS = 4
const RULE_DASH = [2, 3]
/** Pixels of a line's end and its sign. */
const SIGN = 6

export interface LineLayout {
  /** Of a whole row of plots, in pixels. */
  readonly width: number
  /** Of a row; names below plots add to it. */
  readonly height: number
  /** Pixels between plots. */
  readonly spacing: number
  /** Most plots in a row. */
  readonly columns: number
  /** Where the names of series stand: beside the last plot of a row, at the ends of its lines; or below each plot. */
  readonly names: 'beside' | 'below'
}

/** Rows of a chart's plots, all of the same size and with the same scales. */
export function linePlots(chart: LineChart, theme: Theme, layout: LineLayout): Plot[][] {
  const { panels } = chart
  const columns = Math.min(layout.columns, panels.length)
  const named = panels.flatMap(({ series, rule }) => [...series.map(({ name }) => name), ...(rule ? [rule.text] : [])])
  const beside = layout.names === 'beside' ? Math.max(...named.map((name) => NAME.width(shorten(name))), 0) + NAME.offset : 0
  const last = Math.max(PADDING.right, beside)
  const free = layout.width - columns * PADDING.left - (columns - 1) * (PADDING.right + layout.spacing) - last
  const top = panels.some(({ title }) => title !== '') ? PADDING.top : PADDING.untitled
  const room = { width: free / columns, height: layout.height - top - PADDING.bottom }
  const scales = chartScales(chart, room)
  const plots = panels.map((panel, i) => {
    const ends = i % columns === columns - 1 || i === panels.length - 1
    const names = layout.names === 'below' ? 'below' : ends ? 'beside' : 'none'
    return linePlot({ chart, panel, theme, ...scales, room, top, names, right: names === 'beside' ? last : PADDING.right })
  })
  return Array.from({ length: Math.ceil(plots.length / columns) }, (_, row) => plots.slice(row * columns, (row + 1) * columns))
}

/** Scales that hold all panels' points, with their ranges, and rules. */
function chartScales({ panels, y }: LineChart, { width, height }: Scene['room']): { x: AxisScale; y: AxisScale } {
  const all = panels.flatMap(({ series }) => series.flatMap((one) => one.points))
  const heights = all.flatMap((point) => point.range ?? [point.y])
  const rules = panels.flatMap(({ rule }) => (rule === undefined ? [] : [rule.y]))
  const across = all.map((point) => point.x)
  return {
    x: axisScale(across, [0, width], { log: false }),
    y: axisScale([...heights, ...rules], [height, 0], { zero: y.zero ?? false }),
  }
}

interface Scene {
  readonly chart: LineChart
  readonly panel: LinePanel
  readonly theme: Theme
  readonly x: AxisScale
  readonly y: AxisScale
  /** Of the plot alone. */
  readonly room: { readonly width: number; readonly height: number }
  readonly names: 'beside' | 'below' | 'none'
  /** Pixels above the plot, and on its right. */
  readonly top: number
  readonly right: number
}

function linePlot(scene: Scene): Plot {
  const { chart, panel, theme, x, y, room, names, top, right } = scene
  const { title, front = [], rule } = panel
  const below = names === 'below' ? (panel.series.length + (rule ? 1 : 0)) * NAME.gap + 6 : 0
  const xText = { ...chart.x, scale: x, count: Math.min(8, Math.floor(room.width / 60)) }
  const yText = { ...chart.y, scale: y, count: Math.floor(room.height / 45) }
  const place = (point: { x: number; y: number }) => ({ x: x.at(point.x), y: y.at(point.y) })
  return plot(room, { left: PADDING.left, top, right, bottom: PADDING.bottom + below }, [
    axes(xText, yText, theme),
    labels([{ x: 6 - PADDING.left, y: 11 - top, text: title, color: theme.ink }], {
      size: 13,
      align: 'left',
      weight: 600,
    }),
    ...(front.length === 0 ? [] : [line(front.map(place), { color: theme.grid, width: 7 })]),
    ...(rule
      ? [strokes([{ x: 0, x2: room.width, y: y.at(rule.y), y2: y.at(rule.y) }], { color: theme.muted, dash: RULE_DASH })]
      : []),
    ...seriesLayers(scene),
    ...nameLayers(scene),
  ])
}

function seriesLayers({ panel, theme, x, y }: Scene): Layer[] {
  // What is strong is drawn last, above the others.
  const series = [...panel.series].sort((a, b) => Number(a.style.strong ?? false) - Number(b.style.strong ?? false))
  return series.flatMap(({ style, points: measured }) => {
    const color = theme.series[style.color]
    const places = measured.map((point) => ({ x: x.at(point.x), y: y.at(point.y) }))
    const ranges = measured.flatMap(({ range }, i) =>
      range ? [{ ...places[i], x2: places[i].x, y: y.at(range[0]), y2: y.at(range[1]) }] : [],
    )
    const notes = measured.flatMap(({ label: text }, i) =>
      text === undefined ? [] : [{ x: places[i].x, y: places[i].y - 13, text, color: theme.muted }],
    )
    return [
      strokes(ranges, { color, opacity: 0.45 }),
      ...(style.dash === undefined ? [] : [line(places, { color, width: style.strong ? 2.5 : 1.5, dash: style.dash })]),
      points(places, pointStyle(style, theme)),
      labels(notes, { size: 10 }),
    ]
  })
}

const pointStyle = ({ shape, strong, color }: SeriesStyle, theme: Theme) => ({
  ...{ shape, color: theme.series[color], size: strong ? 70 : 50, rim: theme.surface },
})

/** What has a name: a line, or the rule. */
interface Named {
  readonly text: string
  readonly style?: SeriesStyle
  /** Its end, in pixels. */
  readonly x: number
  readonly y: number
}

/** Signs and names of all lines: at their ends' heights, or as a list. */
function nameLayers(scene: Scene): Layer[] {
  const { panel, theme, room, names } = scene
  if (names === 'none') return []
  const named = namedEnds(scene)
  const wanted = named.map(({ y }) => y)
  const heights = placeLabels(wanted, NAME.gap, room.height)
  // More of them cross each other and lead nowhere.
  const leads = names === 'beside' && panel.series.length <= MOST_LEADERS
  return named.flatMap(({ text, style, ...end }, i) => {
    const color = style === undefined ? theme.muted : theme.series[style.color]
    const x = names === 'beside' ? room.width + NAME.offset + 8 : 14 - PADDING.left
    const y = names === 'beside' ? heights[i] : room.height + PADDING.bottom + 8 + i * NAME.gap
    const leader = strokes([{ x: end.x + SIGN, y: end.y, x2: x - SIGN - 2, y2: y }], { color, opacity: 0.4 })
    return [
      ...(leads && style ? [leader] : []),
      style
        ? points([{ x, y }], pointStyle(style, theme))
        : strokes([{ x: x - SIGN, x2: x + SIGN, y, y2: y }], { color, dash: RULE_DASH }),
      labels([{ x: x + 12, y, text, color }], { size: NAME.size, align: 'left', weight: style?.strong ? 600 : 400 }),
    ]
  })
}

function namedEnds({ panel: { series, rule }, room, x, y }: Scene): Named[] {
  const lines = series.flatMap(({ name, style, points: measured }) => {
    if (measured.length === 0) return []
    const last = measured.reduce((a, b) => (b.x > a.x ? b : a))
    return [{ text: shorten(name), style, x: x.at(last.x), y: y.at(last.y) }]
  })
  return rule === undefined ? lines : [...lines, { text: shorten(rule.text), x: room.width, y: y.at(rule.y) }]
}

const shorten = (name: string): string => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name)
