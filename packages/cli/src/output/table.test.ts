import { expect, test } from 'vitest'
import { csv, markdownTable } from './table.js'

test('Markdown tables are aligned and escape bars', () => {
  const table = markdownTable(
    [{ title: 'test' }, { title: 't/s', right: true }],
    [
      ['pp512', '9.5'],
      ['a|b', '120.25'],
    ],
  )
  expect(table).toBe('| test  |    t/s |\n| ----- | -----: |\n| pp512 |    9.5 |\n| a\\|b  | 120.25 |\n')
})

test('CSV quotes what needs it', () => {
  expect(csv([['a', 'b,"c"', 1.5]])).toBe('a,"b,""c""",1.5\n')
})
