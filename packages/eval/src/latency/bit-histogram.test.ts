import type { LinearInfo } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import { createBitCounter } from './bit-histogram.js'

const linear = (module: string, minBits: number, maxBits: number): LinearInfo => ({ module, rows: 2, cols: 4, minBits, maxBits })

test('every step counts once for each linear, in the bucket of its place', () => {
  const counter = createBitCounter([linear('a', 3, 5), linear('b', 4, 4)], 21)
  counter.add(0, Uint8Array.of(3, 4))
  counter.add(2, Uint8Array.of(5, 4))
  counter.add(2, Uint8Array.of(5, 4))
  counter.add(20, Uint8Array.of(4, 4))
  const { linears, weights, bucketTokens, bits, counts } = counter.histogram()
  expect({ linears, weights, bucketTokens, bits }).toEqual({
    linears: ['a', 'b'],
    weights: [8, 8],
    bucketTokens: 3,
    bits: [3, 4, 5],
  })
  expect(counts[0]).toEqual([[1, 0, 2], ...Array(5).fill([0, 0, 0]), [0, 1, 0]])
  expect(counts[1]).toEqual([[0, 3, 0], ...Array(5).fill([0, 0, 0]), [0, 1, 0]])
})

test('a short answer has a bucket for each step', () => {
  expect(createBitCounter([linear('a', 3, 3)], 2).histogram()).toMatchObject({ bucketTokens: 1, counts: [[[0], [0]]] })
})
