import { expect, test } from 'vitest'
import { rowSeed } from './row-seed.js'

const rowOfWords = (...words: number[]) => new Float32Array(Uint32Array.from(words).buffer)

test.each<[seed: number, row: Float32Array, hash: number]>([
  // Published values for the strings "" and "test".
  [1, rowOfWords(), 0x514e28b7],
  [0, rowOfWords(0x74736574), 0xba6bd213],
  [0x9747b28c, rowOfWords(0x74736574), 0x704b81dc],
])('seed %i: MurmurHash3 of the bits', (seed, row, hash) => {
  expect(rowSeed(seed, row)).toBe(hash)
})

test('seeds and rows all matter, the place in memory does not', () => {
  const matrix = Float32Array.of(1, 2, 3, 1, 2, 3, 1, 2, 4)
  const [a, b, c] = [0, 3, 6].map((start) => rowSeed(5, matrix.subarray(start, start + 3)))
  expect(a).toBe(b)
  expect(c).not.toBe(a)
  expect(rowSeed(6, matrix.subarray(0, 3))).not.toBe(a)
})
