import { FileFormatError } from '@dpllm/core'
import { expect, test } from 'vitest'
import type { SweepResult } from '../sweep/sweep-result.js'
import { exampleResults } from '../testing/example-results.js'
import type { LineChart } from './chart/line-chart.js'
import type { Figure } from './figure.js'
import { makeReport, type Report } from './make-report.js'

const results = exampleResults()
const report = makeReport(results)
const figures = (of: Report): Figure[] => of.sections.flatMap((section) => section.figures)
const figure = (start: string): Figure => figures(report).find(({ id }) => id.startsWith(start))!
const lines = (start: string): LineChart => figure(start).drawing as LineChart
const measured = (kind: SweepResult['kind'], label: string, tables: string | null, targetBits: number | null) =>
  results.find((one) => one.kind === kind && one.label === label && one.tables === tables && one.targetBits === targetBits)!.value

test('a figure for everything that was measured', () => {
  expect(report).toMatchObject({ title: 'tiny', subtitle: '4 methods · 3 datasets · 75 measurements', notes: [] })
  expect(report.sections.map(({ id }) => id)).toEqual(['quality', 'tasks', 'speed', 'bits'])
  const ids = figures(report).map(({ id }) => id)
  for (const kind of [
    'perplexity',
    'loss',
    'task',
    'speed',
    'front',
    'layers',
    'layers-by-method',
    'layers-over-time',
    'tokens',
    'requests',
  ])
    expect(
      ids.filter((id) => id.startsWith(`${kind}-tiny`)),
      kind,
    ).not.toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
  for (const { id, commands, table, caption } of figures(report)) {
    expect(id).toMatch(/^[a-z0-9.-]+$/)
    expect(commands.length, id).toBeGreaterThan(0)
    expect(table.rows.length, id).toBeGreaterThan(0)
    for (const row of table.rows) expect(row.length, id).toBe(table.columns.length)
    expect(`${caption}${JSON.stringify(table)}`, id).not.toMatch(/NaN|undefined|Infinity/)
  }
})

test('perplexity: a panel for each kind of tables, a series for each method, their points, errors and the unquantized height', () => {
  const { panels } = lines('perplexity')
  expect(panels.map(({ title }) => title)).toEqual(['plain', 'tuned'])
  for (const { title, series, rule } of panels) {
    expect(series.map(({ name }) => name)).toEqual(['uniform', 'budget', 'DP-LLM', 'DP-LLM, exact'])
    expect(series.map(({ style }) => style.dash === undefined)).toEqual([true, false, false, false])
    expect(series.map(({ points }) => points.map(({ x }) => x))).toEqual([[3, 4, 5], ...Array(3).fill([3.5, 4, 4.5])])
    const perplexity = Number(measured('perplexity', 'budget', title, 3.5).perplexity)
    expect(series[1].points[0]).toMatchObject({
      y: perplexity,
      range: [perplexity / Math.exp(0.05 / perplexity), perplexity * Math.exp(0.05 / perplexity)],
    })
    expect(rule!.y).toBe(measured('perplexity', 'unquantized', null, null).perplexity)
  }
  const { table } = figure('perplexity')
  expect(table.columns.map(({ title }) => title)).toEqual(['method', '3 bits', '3.5 bits', '4 bits', '4.5 bits', '5 bits'])
  expect(table.rows.map(([{ text, note }]) => [text, note])).toEqual(
    ['plain', 'tuned'].flatMap((tables) => ['uniform', 'budget', 'DP-LLM', 'DP-LLM, exact'].map((label) => [label, tables])),
  )
  const text = Number(measured('perplexity', 'budget', 'tuned', 4).perplexity).toFixed(3)
  expect(table.rows[5][3]).toEqual({ text: `${text} ± 0.050`, best: true })
  expect(table.rows[4][3].best).toBe(false)
})

test('what is lost: the ratio to the unquantized perplexity, whose errors cancel', () => {
  const [plain] = lines('loss').panels
  const before = Number(measured('perplexity', 'unquantized', null, null).perplexity)
  const after = Number(measured('perplexity', 'budget', 'plain', 3.5).perplexity)
  const [{ y, range }] = plain.series[1].points
  expect(y).toBeCloseTo(after / before - 1, 10)
  // The same difference in every chunk.
  expect(range![1] - range![0]).toBeLessThan(1e-9)
})

test('scores: from zero, and errors go no further than scores can', () => {
  const { y, panels } = lines('task')
  expect(y.zero).toBe(true)
  const ranges = panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(({ range }) => range!)))
  for (const [low, high] of ranges) expect(low >= 0 && high <= 1).toBe(true)
})

test('speed: from zero; the front holds what nothing beats', () => {
  expect(lines('speed').y.zero).toBe(true)
  const { panels } = lines('front')
  const all = panels.flatMap(({ series }) => series.flatMap(({ points }) => points))
  const { front } = panels[0]
  expect(panels[1].front).toEqual(front)
  for (const point of front!) expect(all.some(({ x, y }) => x > point.x && y < point.y)).toBe(false)
  // Fewer bits are faster, tuned tables better.
  expect(front!.map(({ x }) => x)).toEqual([1000 / 4.5, 250, 1000 / 3.5, 1000 / 3])
  expect(all.filter(({ label }) => label !== undefined).length).toBeGreaterThanOrEqual(4)
})

test('layers: a cell for each linear; means of the counts', () => {
  const { drawing, table } = figure('layers-tiny')
  if (drawing.kind !== 'heat-maps') throw new Error(drawing.kind)
  expect(drawing.panels.map(({ title }) => title)).toEqual(['3.5 bits', '4 bits', '4.5 bits'])
  expect(drawing.panels[0].cells).toHaveLength(4 * 7)
  // q of layer 0: in three buckets of 8 steps 0, 1 and 2 steps above 3 bits.
  expect(drawing.panels[0].cells[0]).toEqual({ layer: 0, module: 'q', bits: 3 + 3 / 24 })
  expect(table.columns.map(({ title }) => title)).toEqual(['mean over layers', 'q', 'k', 'v', 'o', 'gate', 'up', 'down'])
})

test('tokens: one answer of each method that decides', () => {
  const found = figures(report).filter(({ id }) => id.startsWith('tokens'))
  expect(found.map(({ title }) => title)).toEqual(
    ['plain', 'tuned'].flatMap((tables) =>
      ['budget', 'DP-LLM', 'DP-LLM, exact'].map((label) => `Bits of each token: ${label}, ${tables} at 4 bits`),
    ),
  )
  const [{ drawing, table }] = found
  if (drawing.kind !== 'tokens') throw new Error(drawing.kind)
  expect(drawing).toMatchObject({ prompt: 'The dog and the', targetBits: 4 })
  expect(drawing.tokens).toHaveLength(24)
  expect(table.rows.map(([{ text }]) => text)).toEqual(['1–10', '11–20', '21–24'])
})

test('numbers to remember', () => {
  expect(report.highlights.map(({ name }) => name)).toEqual([
    'unquantized perplexity',
    'best up to 4 bits',
    'uniform 4 bits',
    'speed at 4 bits',
  ])
  expect(report.highlights[1].note).toContain('budget, tuned')
  expect(report.highlights[3]).toMatchObject({ value: '250 tokens/s', note: "8.0 times the unquantized model's; budget" })
})

test('budgets and datasets have figures of their own, which uniform precisions are in, too', () => {
  const other = results.map((one) => (one.memoryBudget === null ? one : { ...one, memoryBudget: 6 }))
  const text = results.map((one) => ({ ...one, dataset: `other ${one.dataset}` }))
  const found = figures(makeReport([...results, ...other, ...text])).filter(({ id }) => id.startsWith('perplexity'))
  expect(found.map(({ title }) => title.replace('Perplexity against bits: ', ''))).toEqual([
    'stories, 5-bit budget',
    'stories, 6-bit budget',
    'other stories, 5-bit budget',
  ])
  for (const { drawing } of found) expect((drawing as LineChart).panels[0].series.map(({ name }) => name)).toContain('uniform')
})

test('parts are left out that nothing was measured for; missing results are said', () => {
  const some = makeReport(
    results.filter(({ kind }) => kind === 'task'),
    { missing: 3, title: 'mine' },
  )
  expect(some.sections.map(({ id }) => id)).toEqual(['tasks'])
  expect(some).toMatchObject({ title: 'mine', highlights: [] })
  expect(some.notes).toEqual(["3 of the sweep's 28 jobs have no result yet: what is shown here may change."])
  expect(makeReport([]).sections).toEqual([])
})

test('a value that its command does not print is refused', () => {
  const bad = { ...results[0], value: { ...results[0].value, perplexity: null } }
  expect(() => makeReport([bad])).toThrow(
    new FileFormatError('results/000-perplexity.json', 'Invalid input: expected number, received null', {
      item: 'value.perplexity',
    }),
  )
})

test('commands begin with those that made the profiles', () => {
  const one = results.find(({ kind, label, tables }) => kind === 'perplexity' && label === 'budget' && tables === 'plain')!
  const calibration: SweepResult = {
    ...one,
    kind: 'calibration',
    key: 'c',
    targetBits: null,
    dataset: 'training',
    command: 'dpllm calibrate plain',
    value: {},
  }
  const [{ commands }] = figures(makeReport([calibration, ...results]))
  expect(commands).toEqual(['dpllm calibrate plain', ...new Set(figure('perplexity').commands)])
  const uniform = results.filter(({ method }) => method === 'uniform')
  expect(figures(makeReport([calibration, ...uniform]))[0].commands).not.toContain('dpllm calibrate plain')
})
