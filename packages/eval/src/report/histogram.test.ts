import { expect, test } from 'vitest'
import { linearBits } from './histogram.js'

test('means over the answer and over its parts; what counted nothing is left out', () => {
  const counts = [
    [
      [3, 1],
      [0, 4],
      [0, 0],
    ],
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  ]
  expect(linearBits({ linears: ['a', 'b'], weights: [8, 8], bits: [3, 4], bucketTokens: 4, counts })).toEqual([
    {
      module: 'a',
      weights: 8,
      mean: 3.625,
      parts: [
        { first: 1, last: 4, mean: 3.25 },
        { first: 5, last: 8, mean: 4 },
      ],
    },
  ])
})
