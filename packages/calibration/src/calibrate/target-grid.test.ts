import { expect, test } from 'vitest'
import { targetGrid } from './target-grid.js'

test('what was asked for and a grid between the ends, ascending, each once', () => {
  expect(targetGrid([3.5, 3.6], 3, 4, 0.25)).toEqual([3.25, 3.5, 3.6, 3.75])
  expect(targetGrid([3, 4], 3, 4, 0.5)).toEqual([3, 3.5, 4])
  expect(targetGrid([], 3, 3.2, 0.25)).toEqual([])
})

test('targets beyond the ends become the ends', () => {
  expect(targetGrid([2.9, 4.998, 5], 3, 4.998, 1)).toEqual([3, 4, 4.998])
})
