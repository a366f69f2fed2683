import { expect, test } from 'vitest'
import type { GradientSums } from './gradient-sums.js'
import { fisherSensitivities, inputSensitivities } from './sensitivities.js'

/** Sums in memory. */
function sumsOf(cols: number, values: number[]): GradientSums {
  return {
    shapes: new Map([['m', [values.length / cols, cols] as const]]),
    samples: 1,
    readRows: async (_, first, count) => Float32Array.from(values.slice(first * cols, (first + count) * cols)),
    async [Symbol.asyncDispose]() {},
  }
}

// Columns have 6, 0, 6, 12; their mean is 6.
const values = [2, 0, 2, 4, 0, 0, 0, 0, 4, 0, 4, 8]

test('inputs: the same row for all', async () => {
  const sensitivities = inputSensitivities(new Map([['m', Float32Array.of(1, 2, 3)]]))
  expect([...(await sensitivities.rows('m', 4, 2))]).toEqual([1, 2, 3, 1, 2, 3])
})

test('Fisher information as it is', async () => {
  const rows = await fisherSensitivities(sumsOf(4, values), 0).rows('m', 1, 2)
  expect([...rows]).toEqual(values.slice(4))
})

test('smoothed: rows of mean 1 move towards the columns; without gradients, they are the columns', async () => {
  const uneven = [...values.slice(0, 8), 0, 0, 0, 16]
  // Columns 2, 0, 2, 20, of mean 6.
  const rows = await fisherSensitivities(sumsOf(4, uneven), 0.75).rows('m', 0, 3)
  const columns = [1 / 3, 0, 1 / 3, 10 / 3]
  const wanted = [[1, 0, 1, 2], columns, [0, 0, 0, 4]].map((row) => row.map((x, k) => 0.25 * x + 0.75 * columns[k]))
  wanted[1] = columns.map((x) => 0.75 * x)
  wanted.flat().forEach((x, i) => {
    expect(rows[i]).toBeCloseTo(x, 6)
  })
})

test('rows do not depend on which are read at once', async () => {
  const sensitivities = fisherSensitivities(sumsOf(4, values), 0.5)
  const whole = await sensitivities.rows('m', 0, 3)
  for (const first of [0, 1, 2]) expect(await sensitivities.rows('m', first, 1)).toEqual(whole.subarray(4 * first, 4 * first + 4))
})

test('a matrix without gradients has no sensitivities at all', async () => {
  expect([...(await fisherSensitivities(sumsOf(4, new Array(8).fill(0)), 0.5).rows('m', 0, 2))]).toEqual(new Array(8).fill(0))
})
