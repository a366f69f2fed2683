import type { TopLevelSpec } from 'vega-lite'
import { formatMultiple } from './format-multiple.js'
import { type LinearDecision, type ProfileDecisions, stepBits, thresholdOf } from './linear-decisions.js'

/** Pixels of a cell: wide enough for its number, low enough that 40 layers fit on a screen. */
const CELL = { width: 40, height: 19 }
/** Most heat maps side by side. */
const MOST_COLUMNS = 3

/**
 * Draws what a profile decides at a target: heat maps of layers by modules, their numbers in the cells, on a white ground that
 * can be read on a dark page, too. Cividis and blue-orange read the same without one of the cones.
 * @returns SVG
 */
export async function decisionChart(decisions: ProfileDecisions): Promise<string> {
  // Loaded here, since nothing else draws.
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')])
  const view = new View(parse(compile(chartSpec(decisions)).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return `${svg}\n`
}

/** The chart in Vega-Lite's words. */
export function chartSpec({ profile, method, kind, memoryBudget, targetBits, linears }: ProfileDecisions): TopLevelSpec {
  const cells = linears.map((linear): Cell => ({ ...linear, ...placeOf(linear.module) }))
  const columns = [...new Set(cells.map(({ column }) => column))]
  const least = Math.min(...linears.map(({ low }) => low))
  const most = Math.max(least + 1, ...linears.map(({ loadedBits }) => loadedBits))
  const shades = {
    scale: { domain: [least, most], scheme: 'cividis' },
    isDark: (bits: number) => bits < (least + most) / 2,
    legend: { values: Array.from({ length: most - least + 1 }, (_, j) => least + j) },
  }
  const panels: Panel[] = [
    { title: 'loaded bits', ...shades, value: ({ loadedBits }) => loadedBits, label: ({ loadedBits }) => String(loadedBits) },
    { ...averagesOf[kind], ...shades },
    ...(kind === 'budget' ? thresholdPanels(linears) : kind === 'static' ? [] : [estimatorPanel(linears)]),
  ]
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: `${profile} at ${targetBits} bits`, subtitle: `method ${method}, memory budget ${memoryBudget} bits` },
    background: 'white',
    columns: Math.ceil(panels.length / Math.ceil(panels.length / MOST_COLUMNS)),
    spacing: 24,
    concat: panels.map((panel) => heatMap(panel, cells, columns)),
    resolve: { scale: { color: 'independent' } },
    config: {
      view: { stroke: '#bbb' },
      // Nothing is: without this, the step that would leave it out stands empty in the spec, and is refused.
      mark: { invalid: 'show' },
      legend: { labelLimit: 0 },
      title: { anchor: 'start' },
    },
  } as TopLevelSpec
}

/** A decision and its place on the chart. */
type Cell = LinearDecision & { readonly layer: number; readonly column: string }

/** One heat map; linears without a value leave their cell empty. */
interface Panel {
  readonly title: string
  /** Of the colours, in Vega-Lite's words. */
  readonly scale: object
  readonly value: (cell: Cell) => number | string | undefined
  readonly label: (cell: Cell) => string
  /** Whether the value's colour wants white letters. Default never. */
  readonly isDark?: (value: number) => boolean
  /** What the legend shows, in Vega-Lite's words. */
  readonly legend?: object
}

const averagesOf: Record<ProfileDecisions['kind'], Omit<Panel, 'scale'>> = {
  static: { title: 'bits of every token', value: ({ low }) => low, label: ({ low }) => String(low) },
  threshold: {
    title: 'average bits p',
    value: ({ averageBits }) => averageBits,
    label: ({ averageBits }) => averageBits!.toFixed(2),
  },
  budget: {
    title: 'bits of a token of mean sensitivity',
    value: ({ bitsAtMeanSensitivity }) => bitsAtMeanSensitivity,
    label: ({ bitsAtMeanSensitivity }) => String(bitsAtMeanSensitivity),
  },
  fixed: {
    title: 'bits, and above the threshold',
    value: ({ low }) => low,
    label: ({ low, high }) => (low === high ? String(low) : `${low} | ${high}`),
  },
}

/** Names that fit a cell, and colours of Okabe and Ito that black text can be read on. */
const estimators: Record<LinearDecision['estimator'], { label: string; color: string }> = {
  none: { label: '', color: 'white' },
  linear: { label: 'linear', color: '#56b4e9' },
  projection: { label: 'proj.', color: '#e69f00' },
  exact: { label: 'exact', color: '#f0e442' },
  probe: { label: 'probe', color: '#cc79a7' },
}

function estimatorPanel(linears: readonly LinearDecision[]): Panel {
  const used = [...new Set(linears.map(({ estimator }) => estimator))].filter((kind) => kind !== 'none')
  return {
    title: 'estimators',
    scale: { domain: used, range: used.map((kind) => estimators[kind].color) },
    value: ({ estimator }) => (estimator === 'none' ? undefined : estimator),
    label: ({ estimator }) => estimators[estimator].label,
  }
}

/** One for each bit count that tokens decide on: where the choice falls, on one scale for all. */
function thresholdPanels(linears: readonly LinearDecision[]): Panel[] {
  const far = Math.max(...linears.flatMap(({ thresholds }) => thresholds.map(Math.abs)), 1)
  return stepBits(linears).map((bits) => ({
    title: `${bits} bits above … times the mean sensitivity`,
    scale: { domain: [-far, far], scheme: 'blueorange' },
    isDark: (value) => Math.abs(value) > 0.7 * far,
    value: (cell) => thresholdOf(cell, bits),
    label: (cell) => formatMultiple(thresholdOf(cell, bits)!),
    legend: { labelExpr: "format(exp(datum.value), '.2~r') + '×'" },
  }))
}

function heatMap({ title, scale, value, label, isDark, legend }: Panel, cells: readonly Cell[], columns: readonly string[]) {
  const layers = [...new Set(cells.map(({ layer }) => layer))]
  const values = cells.flatMap((cell) => {
    const found = value(cell)
    if (found === undefined) return []
    const dark = typeof found === 'number' && (isDark?.(found) ?? false)
    return [{ layer: cell.layer, column: cell.column, value: found, label: label(cell), dark }]
  })
  const ink = { condition: { test: 'datum.dark', value: 'white' }, value: 'black' }
  const isNumber = values.every((cell) => typeof cell.value === 'number')
  const place = {
    x: { field: 'column', type: 'ordinal', scale: { domain: columns }, axis: { title: null, orient: 'top', labelAngle: 0 } },
    y: { field: 'layer', type: 'ordinal', scale: { domain: layers }, axis: { title: 'layer' } },
  }
  const type = isNumber ? 'quantitative' : 'nominal'
  const color = { field: 'value', type, scale, legend: { title: null, ...legend } }
  return {
    title: { text: title, fontSize: 11 },
    data: { values },
    width: CELL.width * columns.length,
    height: CELL.height * layers.length,
    encoding: place,
    layer: [
      { mark: { type: 'rect', stroke: 'white', strokeWidth: 0.5 }, encoding: { color } },
      { mark: { type: 'text', fontSize: 10 }, encoding: { text: { field: 'label' }, color: ink } },
    ],
  }
}

/** model.layers.3.self_attn.q_proj is q of layer 3. */
function placeOf(module: string): { layer: number; column: string } {
  const [, layer, name] = /^model\.layers\.(\d+)\..*?([^.]+)$/.exec(module) ?? [undefined, '0', module]
  return { layer: Number(layer), column: name.replace(/_proj$/, '') }
}
