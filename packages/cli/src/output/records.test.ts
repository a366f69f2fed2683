import { expect, test } from 'vitest'
import { formatRecords } from './records.js'

const records = [
  { matrix: '4096 x 4096', bits: 3, fraction: 0.95 },
  { matrix: '1024 x 4096', bits: 10, fraction: 1 },
]

test('numbers stand right', () => {
  expect(formatRecords(records, 'md')).toBe(
    '| matrix      | bits | fraction |\n| ----------- | ---: | -------: |\n| 4096 x 4096 |    3 |     0.95 |\n| 1024 x 4096 |   10 |        1 |\n',
  )
})

test('JSON, JSON lines and CSV hold the same', () => {
  expect(JSON.parse(formatRecords(records, 'json'))).toEqual(records)
  const lines = formatRecords(records, 'jsonl').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toEqual(records)
  expect(formatRecords(records, 'csv')).toBe('matrix,bits,fraction\n4096 x 4096,3,0.95\n1024 x 4096,10,1\n')
  expect(formatRecords([], 'json')).toBe('[]\n')
})
