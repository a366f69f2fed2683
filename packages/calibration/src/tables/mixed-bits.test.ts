import { createRandom } from '@dpllm/core'
import { expect, test } from 'vitest'
import { drawAverageBits, drawBits } from './mixed-bits.js'

const frequencies = (values: readonly number[]) => {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1 / values.length
  return counts
}

test.each<[bits: number[], Record<string, number>]>([
  [[3, 4, 5], { 3: 0.2, 3.4: 0.2, 3.7: 0.15, 4: 0.2, 4.5: 0.1, 5: 0.15 }],
  [[3, 4], { 3: 0.2 / 0.75, 3.4: 0.2 / 0.75, 3.7: 0.15 / 0.75, 4: 0.2 / 0.75 }],
  [[4], { 4: 1 }],
  [[5], { 5: 1 }],
])('contexts of tables of %j bits', (bits, wanted) => {
  const random = createRandom(3)
  const found = frequencies(Array.from({ length: 4000 }, () => drawAverageBits(random, bits)))
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort())
  for (const [t, p] of Object.entries(wanted)) expect(Math.abs(found[t] - p)).toBeLessThan(0.03)
})

test('linears read the bits below or above, within what they have', () => {
  const random = createRandom(4)
  const free = Array.from({ length: 4000 }, () => ({ minBits: 3, maxBits: 5 }))
  const mean = drawBits(random, 3.3, free).reduce((sum, b) => sum + b, 0) / free.length
  expect(Math.abs(mean - 3.3)).toBeLessThan(0.03)
  expect(new Set(drawBits(random, 4, free))).toEqual(new Set([4]))
  const narrow = Array.from({ length: 50 }, (_, i) => (i % 2 ? { minBits: 5, maxBits: 5 } : { minBits: 3, maxBits: 3 }))
  expect(drawBits(random, 4.4, narrow)).toEqual(narrow.map(({ minBits }) => minBits))
})
