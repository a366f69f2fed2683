import { expect, test } from 'vitest'
import { formatBytes, formatCount, formatDuration } from './format.js'

test.each([
  [0, '0', '0 B'],
  [999, '999', '999 B'],
  [1234567, '1.23M', '1.18 MiB'],
  [8030261248, '8.03B', '7.48 GiB'],
  [1023.6 * 1024, '1.05M', '1024 KiB'],
])('%d', (n, count, bytes) => {
  expect(formatCount(n)).toBe(count)
  expect(formatBytes(n)).toBe(bytes)
})

test('durations', () => {
  expect([0, 59.6, 75, 3599, 4000].map(formatDuration)).toEqual(['0:00', '1:00', '1:15', '59:59', '1:06:40'])
})
