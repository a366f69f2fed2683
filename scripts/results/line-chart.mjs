import { parse, View } from 'vega'
import { compile } from 'vega-lite'

/**
 * Draws lines, one for each name.
 * @param {{ name: string, x: number, y: number }[]} points
 * @param {{ title: string, x: string, y: string, rule?: { y: number, text: string } }} labels `rule` is a dashed line at a height
 * @returns {Promise<string>} SVG, with a white ground, so that it can be read on a dark page too
 */
export async function lineChart(points, { title, x, y, rule }) {
  const lines = {
    data: { values: points },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: x, axis: { tickMinStep: 1 }, scale: { zero: false } },
      y: { field: 'y', type: 'quantitative', title: y, scale: { zero: false } },
      color: { field: 'name', type: 'nominal', title: null, sort: null },
      strokeDash: { field: 'name', type: 'nominal', title: null, sort: null },
    },
  }
  const layer = [lines]
  if (rule) {
    const data = { values: [rule] }
    const encoding = { y: { field: 'y', type: 'quantitative' } }
    layer.push({ data, mark: { type: 'rule', strokeDash: [2, 4], color: 'gray' }, encoding })
    layer.push({
      data,
      mark: { type: 'text', align: 'right', x: 'width', dy: -6, color: 'gray' },
      encoding: { ...encoding, text: { field: 'text', type: 'nominal' } },
    })
  }
  const { spec } = compile({ title, width: 480, height: 300, background: 'white', layer, config: { legend: { labelLimit: 0 } } })
  const view = new View(parse(spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return `${svg}\n`
}
