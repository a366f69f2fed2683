import { expect, test } from 'vitest'
import { exampleResults, hostile } from '../testing/example-results.js'
import { reportCsv } from './csv.js'

/** RFC 4180, as a spreadsheet reads it. */
function parse(text: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end !== ',') rows.push([])
  }
  return rows.slice(0, -1)
}

test('a line for each number', () => {
  const results = exampleResults()
  const [head, ...rows] = parse(reportCsv(results))
  expect(new Set(rows.map((row) => row.length))).toEqual(new Set([head.length]))
  const records = rows.map((row) => Object.fromEntries(row.map((field, i) => [head[i], field])))
  expect(records.filter(({ metric }) => metric === 'perplexity')).toHaveLength(
    results.filter(({ kind }) => kind === 'perplexity').length,
  )
  const [first] = records.filter(
    ({ metric, label, targetBits, tables }) =>
      metric === 'perplexity' && label === 'budget' && targetBits === '3.5' && tables === 'plain',
  )
  const { value } = results.find(
    ({ kind, label, targetBits }) => kind === 'perplexity' && label === 'budget' && targetBits === 3.5,
  )!
  expect(Number(first.value)).toBe(value.perplexity)
  expect(first).toMatchObject({
    model: 'tiny',
    method: 'budget',
    memoryBudget: '5',
    dataset: 'stories',
    standardError: '0.05',
    effectiveBits: '3.5',
    percentile1: '',
    command: 'dpllm eval ppl plain --target-bits 3.5',
  })
  expect(records.filter(({ metric, method }) => metric === 'selectorTimeRatio' && method === 'uniform')).toEqual([])
})

test('texts come back as they were; formulas do not compute', () => {
  const rows = parse(reportCsv(exampleResults({ model: '=HYPERLINK("x")', label: hostile })))
  expect(rows[1][0]).toBe(`'=HYPERLINK("x")`)
  expect(rows.some((row) => row.includes(hostile))).toBe(true)
})
