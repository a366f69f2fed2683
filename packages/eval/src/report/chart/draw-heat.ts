import { type BitScale, bitScale } from './bit-scale.js'
import type { Plot } from './draw.js'
import type { HeatCell, HeatMaps, HeatPanel } from './heat-map.js'
import { boxes, labels, plot } from './marks.js'
import type { Theme } from './theme.js'

/** Pixels. A number needs the width `numbered`; cells are not drawn wider than `widest`. */
const CELL = { height: 22, widest: 42, numbered: 22, text: 10.5 }
const PADDING = { left: 46, right: 8, top: 44, bottom: 8 }
/** Widths of a letter, and of a title's. */
const [LETTER, TITLE] = [6, 7.5]
const SWATCH = { width: 38, height: 18 }

export interface HeatLayout {
  /** Of a whole row, in pixels. */
  readonly width: number
  /** Pixels between heat maps. */
  readonly spacing: number
  /** Layers from top to bottom: for where there is room for few columns. */
  readonly upright: boolean
}

/** A legend, and below it the heat maps, as many in a row as fit. */
export function heatPlots({ panels }: HeatMaps, theme: Theme, layout: HeatLayout): Plot[][] {
  const scale = bitScale(panels.flatMap(({ cells }) => cells.map(({ bits }) => bits)))
  const rows: Plot[][] = [[legendPlot(scale, theme, layout.width)]]
  let free = 0
  for (const panel of panels) {
    const next = heatPlot(panel, scale, theme, layout)
    if (next.width > free) {
      rows.push([])
      free = layout.width
    }
    rows.at(-1)!.push(next)
    free -= next.width + layout.spacing
  }
  return rows
}

/** Layers from left to right and modules below each other, or the other way round. */
function heatPlot({ title, cells }: HeatPanel, scale: BitScale, theme: Theme, { width: most, upright }: HeatLayout): Plot {
  const layers = [...new Set(cells.map(({ layer }) => layer))].sort((a, b) => a - b).map(String)
  const modules = [...new Set(cells.map(({ module }) => module))]
  const [columns, rows] = upright ? [modules, layers] : [layers, modules]
  const width = Math.min((most - PADDING.left - PADDING.right) / columns.length, CELL.widest)
  const placed = cells.map((cell) => {
    const [layer, module] = [layers.indexOf(String(cell.layer)), modules.indexOf(cell.module)]
    const [column, row] = upright ? [module, layer] : [layer, module]
    return { cell, x: column * width, y: row * CELL.height }
  })
  const places = cells.every(({ bits }) => Number.isInteger(bits)) ? 0 : 1
  const grounds = placed.map(({ cell, x, y }) => ({
    ...{ x, y, x2: x + width - 1, y2: y + CELL.height - 1 },
    color: theme.shade(scale.part(cell.bits)),
  }))
  const numbers = placed.map(({ cell, x, y }) => ({
    x: x + width / 2,
    y: y + CELL.height / 2,
    text: numberOf(cell, places),
    color: theme.ink,
  }))
  const step = Math.ceil((LETTER * Math.max(...columns.map((name) => name.length)) + 6) / width)
  const heads = columns.map((text, i) => ({ x: (i + 0.5) * width, y: -9, text, color: theme.muted }))
  const sides = rows.map((text, i) => ({ x: -8, y: (i + 0.5) * CELL.height, text, color: theme.muted }))
  const room = { width: width * columns.length, height: CELL.height * rows.length }
  const right = Math.min(
    Math.max(PADDING.right, TITLE * title.length - PADDING.left - room.width),
    most - PADDING.left - room.width,
  )
  return plot(room, { ...PADDING, right }, [
    boxes(grounds),
    ...(width < CELL.numbered ? [] : [labels(numbers, { size: CELL.text })]),
    labels(
      heads.filter((_, i) => i % step === 0),
      { size: CELL.text },
    ),
    labels(sides, { size: CELL.text, align: 'right' }),
    labels([{ x: 6 - PADDING.left, y: 10 - PADDING.top, text: title, color: theme.ink }], {
      size: 13,
      align: 'left',
      weight: 600,
    }),
  ])
}

const numberOf = ({ bits }: HeatCell, places: number): string => bits.toFixed(places)

function legendPlot({ steps, part }: BitScale, theme: Theme, width: number): Plot {
  const padding = { left: 6, right: 0, top: 2, bottom: 2 }
  const swatches = steps.map((bits, i) => {
    const x = i * SWATCH.width
    return { ...{ x, x2: x + SWATCH.width - 1, y: 0, y2: SWATCH.height }, color: theme.shade(part(bits)) }
  })
  const y = SWATCH.height / 2
  const numbers = steps.map((bits, i) => ({ x: (i + 0.5) * SWATCH.width, y, text: String(bits), color: theme.ink }))
  const name = { x: steps.length * SWATCH.width + 8, y, text: 'mean bits', color: theme.muted }
  const layers = [boxes(swatches), labels(numbers, { size: CELL.text }), labels([name], { size: 12, align: 'left' })]
  return plot({ width: width - padding.left, height: SWATCH.height }, padding, layers)
}
