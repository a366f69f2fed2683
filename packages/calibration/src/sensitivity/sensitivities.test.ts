import { expect, test } from 'vitest'
import type { GradientSums } from './gradient-sums.js'
import { fisherSensitivities, inputSensitivities, smoothedSensitivities } from './sensitivities.js'

/** Sums in memory. */
function sumsOf(cols: number, values: number[]): GradientSums {
  return {
    shapes: new Map([['m', [values.length / cols, cols] as const]]),
    samples: 1,
    readRows: async (_, first, count) => Float32Array.from(values.slice(first * cols, (first + count) * cols)),
    async [Symbol.asyncDispose]() {},
  }
}

const values = [2, 0, 2, 4, 0, 0, 0, 0, 4e-12, 0, 4e-12, 8e-12]
const moments = new Map([['m', Float32Array.of(1, 0, 1, 10)]])

test('inputs: the same row for all', async () => {
  expect([...(await inputSensitivities(moments).rows('m', 4, 2))]).toEqual([1, 0, 1, 10, 1, 0, 1, 10])
})

test('Fisher information as it is', async () => {
  expect([...(await fisherSensitivities(sumsOf(4, values)).rows('m', 1, 2))]).toEqual([...Float32Array.from(values.slice(4))])
})

test('smoothed: rows of any scale lean on the inputs, and without gradients they are the inputs', async () => {
  const sensitivities = smoothedSensitivities(sumsOf(4, values), moments, 0.75)
  const inputs = [1 / 3, 0, 1 / 3, 10 / 3].map((x) => 0.75 * x)
  const mixed = [1, 0, 1, 2].map((x, k) => 0.25 * x + inputs[k])
  const rows = await sensitivities.rows('m', 0, 3)
  for (const [i, wanted] of [...mixed, ...inputs, ...mixed].entries()) expect(rows[i]).toBeCloseTo(wanted, 6)
  // Whatever is read at once.
  for (const first of [0, 1, 2]) expect(await sensitivities.rows('m', first, 1)).toEqual(rows.subarray(4 * first, 4 * first + 4))
})

test('neither gradients nor inputs: no sensitivities at all', async () => {
  const nothing = smoothedSensitivities(sumsOf(4, new Array(4).fill(0)), new Map([['m', new Float32Array(4)]]), 0.5)
  expect([...(await nothing.rows('m', 0, 1))]).toEqual([0, 0, 0, 0])
})
