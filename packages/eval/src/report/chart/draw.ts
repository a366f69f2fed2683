import type { TopLevelSpec } from 'vega-lite'
import { escapeText } from '../escape.js'

/** The reader's own; names that programs without CSS know, too. */
const FONTS = 'system-ui, Segoe UI, Helvetica, Arial, DejaVu Sans, Liberation Sans, Noto Sans, sans-serif'

/** Pixels. */
const HEADING = { height: 52, baseline: 26, size: 18 }

/** One drawing of an exact size. */
export interface Plot {
  readonly width: number
  readonly height: number
  /** In Vega-Lite's words, with `autosize: none`: what it draws takes this size and no more. */
  readonly spec: TopLevelSpec
}

export interface SvgOptions {
  /** Names it for people who do not see it. */
  readonly title: string
  /** Says what it shows. */
  readonly description: string
  /** What its ids begin with: unlike those of all other drawings of a page. */
  readonly id: string
  /** Pixels between plots. */
  readonly spacing: number
  /** For a drawing that stands alone: its ground, and its title in this colour. */
  readonly alone?: { readonly surface: string; readonly ink: string }
}

/**
 * Draws rows of plots as one SVG with a title and a description.
 * @returns SVG, its width that of the widest row
 */
export async function drawPlots(rows: readonly (readonly Plot[])[], options: SvgOptions): Promise<string> {
  const { title, description, id, spacing, alone } = options
  const parts: string[] = []
  let [width, y] = [0, alone ? HEADING.height : 0]
  for (const row of rows) {
    let x = 0
    for (const plot of row) {
      parts.push(nested(await vegaSvg(plot.spec), x, y, plot))
      x += plot.width + spacing
    }
    width = Math.max(width, x - spacing)
    y += Math.max(...row.map((plot) => plot.height)) + spacing
  }
  const height = y - spacing
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` role="img" aria-labelledby="${id}-title ${id}-description" font-family="${FONTS}">`,
    `<title id="${id}-title">${escapeText(title)}</title><desc id="${id}-description">${escapeText(description)}</desc>`,
    alone === undefined ? '' : `<rect width="${width}" height="${height}" fill="${alone.surface}"/>`,
    alone === undefined
      ? ''
      : `<text x="6" y="${HEADING.baseline}" font-size="${HEADING.size}" font-weight="700" fill="${alone.ink}">${escapeText(title)}</text>`,
    ...parts,
    '</svg>',
  ].join('')
}

/** A whole SVG as a part of another. */
function nested(svg: string, x: number, y: number, { width, height }: Plot): string {
  const start = `<svg x="${x}" y="${y}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`
  return (
    svg
      .replace(/^<svg [^>]*>/, () => start)
      // Roles of single marks, which nobody hears inside an image.
      .replace(/ role="graphics-\w+" aria-roledescription="[\w -]+"/g, '')
      // Vega's default; the whole drawing has its own.
      .replaceAll(' font-family="sans-serif"', '')
  )
}

async function vegaSvg(spec: TopLevelSpec): Promise<string> {
  // Loaded here, since nothing else draws.
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')])
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
