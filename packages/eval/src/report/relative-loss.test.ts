import { expect, test } from 'vitest'
import { relativeLoss } from './relative-loss.js'

const of = (chunkLosses: number[], more = {}) => ({ chunkLosses, protocol: 'papers', contextLength: 8, tokens: 21, ...more })

test('of the same chunks: the mean difference, and the error of that', () => {
  const { mean, standardError } = relativeLoss(of([1, 2, 6]), of([1.1, 2.2, 6.3]))!
  expect(mean).toBeCloseTo(Math.exp(0.2) - 1, 12)
  // Differences 0.1, 0.2, 0.3: variance of the mean 0.01 / 3.
  expect(standardError).toBeCloseTo(Math.exp(0.2) * Math.sqrt(0.01 / 3), 12)
})

test.each([
  ['other protocol', of([1, 2], { protocol: 'strided' })],
  ['other tokens', of([1, 2], { tokens: 22 })],
  ['other chunks', of([1, 2, 3])],
  ['losses not kept', { ...of([]), chunkLosses: undefined }],
])('nothing can be said of %s', (_, other) => {
  expect(relativeLoss(of([1, 2]), other)).toBeUndefined()
})
