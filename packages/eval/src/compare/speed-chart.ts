import type { TopLevelSpec } from 'vega-lite'

/** A measured point of a chart of speeds. */
export interface SpeedPoint {
  /** Of the line that it belongs to: an engine. */
  readonly name: string
  readonly bitsPerWeight: number
  readonly tokensPerSecond: number
}

/**
 * Draws tokens per second against bits, a line for each name, on a white ground that can be read on a dark page, too.
 * @returns SVG
 */
export async function speedChart(points: readonly SpeedPoint[], title: string): Promise<string> {
  // Loaded here, since nothing else draws.
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')])
  const view = new View(parse(compile(chartSpec(points, title)).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return `${svg}\n`
}

/** The chart in Vega-Lite's words. */
export function chartSpec(points: readonly SpeedPoint[], title: string): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title,
    width: 480,
    height: 300,
    background: 'white',
    data: { values: points.map((point) => ({ ...point })) },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'bitsPerWeight', type: 'quantitative', title: 'bits per weight', scale: { zero: false } },
      y: { field: 'tokensPerSecond', type: 'quantitative', title: 'tokens per second', scale: { domainMin: 0 } },
      color: { field: 'name', type: 'nominal', title: null, sort: null },
      strokeDash: { field: 'name', type: 'nominal', title: null, sort: null },
    },
    config: { legend: { labelLimit: 0 } },
  }
}
