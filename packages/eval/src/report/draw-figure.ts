import { drawPlots, type Plot } from './chart/draw.js'
import { heatPlots } from './chart/draw-heat.js'
import { linePlots } from './chart/draw-lines.js'
import { tokenTextPlot } from './chart/draw-token-text.js'
import { tokenPlot } from './chart/draw-tokens.js'
import { lightTheme, pageTheme, type Theme } from './chart/theme.js'
import type { Drawing, Figure } from './figure.js'

/** Pixels: of a figure in a column of text, and on a phone. */
const WIDTH = { wide: 1000, narrow: 336 } as const
const SPACING = 24
const HEIGHT = { one: 400, several: 360, narrow: 300 }

export type Layout = keyof typeof WIDTH

/** A figure as a file of its own, on white: SVG that any program shows. */
export function figureSvg({ title, caption, id, drawing }: Figure): Promise<string> {
  const text = drawing.kind === 'tokens' ? [[tokenTextPlot(drawing, lightTheme, WIDTH.wide)]] : []
  const rows = [...plotsOf(drawing, lightTheme, 'wide'), ...text]
  return drawPlots(rows, { title, description: caption, id, spacing: SPACING, alone: lightTheme })
}

/** A figure as a part of the page, whose variables give its colours. */
export function figureInPage({ title, caption, id, drawing }: Figure, layout: Layout): Promise<string> {
  const rows = plotsOf(drawing, pageTheme, layout)
  return drawPlots(rows, { title, description: caption, id: `${id}-${layout}`, spacing: SPACING })
}

function plotsOf(drawing: Drawing, theme: Theme, layout: Layout): Plot[][] {
  const [width, narrow] = [WIDTH[layout], layout === 'narrow']
  switch (drawing.kind) {
    case 'lines': {
      if (narrow) return linePlots(drawing, theme, { width, height: HEIGHT.narrow, spacing: SPACING, columns: 1, names: 'below' })
      const height = drawing.panels.length === 1 ? HEIGHT.one : HEIGHT.several
      return linePlots(drawing, theme, { width, height, spacing: SPACING, columns: 2, names: 'beside' })
    }
    case 'heat-maps':
      return heatPlots(drawing, theme, { width, spacing: SPACING, upright: narrow })
    case 'tokens':
      return [[tokenPlot(drawing, theme, width)]]
  }
}
