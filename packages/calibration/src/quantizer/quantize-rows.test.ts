import { createRandom, dequantize, f16ToF32, f32ToF16, InvalidArgumentError, lutOf, unpackPlanes } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorOfCodes, lloydError } from '../testing/clustering.js'
import { quantizeRows } from './quantize-rows.js'

function randomRows(rows: number, cols: number, seed: number) {
  const random = createRandom(seed)
  const weights = Float32Array.from({ length: rows * cols }, () => (random.uniform() < 0.05 ? 0 : 0.02 * random.normal()))
  const sensitivities = Float32Array.from({ length: rows * cols }, () => random.normal() ** 2)
  return { weights, sensitivities }
}

const matrices = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    cols: fc.integer({ min: 1, max: 70 }),
    seed: fc.integer({ min: 0 }),
    /** Distinct values are multiples of this, so that large ones give many ties. */
    grid: fc.constantFrom(0, 2 ** -8, 2 ** -6, 1),
    weighted: fc.boolean(),
    seedBits: fc.integer({ min: 1, max: 4 }),
    maxBits: fc.integer({ min: 4, max: 8 }),
  })
  .map(({ rows, cols, seed, grid, weighted, ...bits }) => {
    const { weights, sensitivities } = randomRows(rows, cols, seed)
    const onGrid = grid > 0 ? weights.map((w) => Math.round(w / grid) * grid) : weights
    return { weights: onGrid, options: { cols, ...bits, sensitivities: weighted ? sensitivities : undefined } }
  })

/** Row r with the weights that its clustering counts, but for the floor of sensitivities. */
function rowOf(weights: Float32Array, sensitivities: Float32Array | undefined, cols: number, r: number) {
  const values = weights.subarray(r * cols, (r + 1) * cols)
  const given = sensitivities?.subarray(r * cols, (r + 1) * cols).map((s, i) => (values[i] === 0 ? 0 : s))
  const counts = given?.some((s) => s > 0) ? given : values.map(() => 1)
  return { values, weights: counts }
}

test('tables ascend and are finite; codes of each level order the values; errors fall from level to level', () => {
  fc.assert(
    fc.property(matrices, ({ weights, options }) => {
      const { cols, seedBits, maxBits, sensitivities } = options
      const result = quantizeRows(weights, options)
      const codes = unpackPlanes(result.planes, result.rows, cols, maxBits)
      for (let r = 0; r < result.rows; r++) {
        const row = rowOf(weights, sensitivities, cols, r)
        const finest = codes.subarray(r * cols, (r + 1) * cols)
        const order = Array.from(finest, (_, i) => i).sort((a, b) => row.values[a] - row.values[b] || finest[a] - finest[b])
        let before = Number.POSITIVE_INFINITY
        for (let b = seedBits; b <= maxBits; b++) {
          const lut = Array.from(lutOf(result, b).subarray(r << b, (r + 1) << b), f16ToF32)
          expect(lut.every((c, j) => Number.isFinite(c) && (j === 0 || c >= lut[j - 1]))).toBe(true)
          const prefix = finest.map((code) => code >> (maxBits - b))
          expect(order.every((i, n) => n === 0 || prefix[i] >= prefix[order[n - 1]])).toBe(true)
          for (let n = 1; n < order.length; n++) {
            // Equal values share a code.
            if (row.values[order[n]] === row.values[order[n - 1]]) expect(prefix[order[n]]).toBe(prefix[order[n - 1]])
          }
          const error = errorOfCodes(row, prefix)
          expect(error).toBeLessThanOrEqual(before * (1 + 1e-12))
          before = error
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('every centroid is the weighted mean of the elements that have its code, as a half', () => {
  fc.assert(
    fc.property(matrices, ({ weights, options }) => {
      const { cols, seedBits, maxBits, sensitivities } = options
      const result = quantizeRows(weights, options)
      for (let b = seedBits; b <= maxBits; b++) {
        const codes = unpackPlanes(result.planes, result.rows, cols, b)
        for (let r = 0; r < result.rows; r++) {
          const row = rowOf(weights, sensitivities, cols, r)
          const floor = (row.weights.reduce((a, c) => a + c, 0) / cols) * 1e-6
          for (let j = 0; j < 2 ** b; j++) {
            let weight = 0
            let moment = 0
            for (let i = 0; i < cols; i++) {
              if (codes[r * cols + i] !== j) continue
              weight += Math.max(row.weights[i], floor)
              moment += Math.max(row.weights[i], floor) * row.values[i]
            }
            if (weight === 0) continue
            const centroid = f16ToF32(lutOf(result, b)[(r << b) + j])
            const mean = moment / weight
            // Half a unit in the last place of a half, and 1e-12 of the row for the order of the sums.
            expect(Math.abs(centroid - mean)).toBeLessThanOrEqual(Math.max(Math.abs(mean) * 2 ** -11, 2 ** -25) + 1e-12)
          }
        }
      }
    }),
    { numRuns: 100 },
  )
})

test('the seed level is at least as good as Lloyd from quantiles, on weights as models have them', () => {
  const cols = 512
  const { weights, sensitivities } = randomRows(8, cols, 3)
  const { planes, rows } = quantizeRows(weights, { cols, sensitivities })
  const codes = unpackPlanes(planes, rows, cols, 3)
  for (let r = 0; r < rows; r++) {
    const row = rowOf(weights, sensitivities, cols, r)
    const error = errorOfCodes(row, codes.subarray(r * cols, (r + 1) * cols))
    expect(error).toBeLessThanOrEqual(lloydError(row, 8) * (1 + 1e-5))
  }
})

test('fewer bits are a prefix of the same codes', () => {
  const { weights, sensitivities } = randomRows(3, 100, 9)
  const all = quantizeRows(weights, { cols: 100, sensitivities })
  const few = quantizeRows(weights, { cols: 100, sensitivities, maxBits: 5 })
  expect(few.planes).toEqual(all.planes.subarray(0, few.planes.length))
})

test('rows of few distinct values come back as halves at every bit count that has a code for each', () => {
  const values = [0, -1.5, 0.25, 0.1, 3]
  const weights = Float32Array.from({ length: 4 * 40 }, (_, i) => values[i % 40 < 20 ? 0 : i % values.length])
  const result = quantizeRows(weights, { cols: 40 })
  const halves = weights.map((w) => f16ToF32(f32ToF16(w)))
  for (let b = 3; b <= 8; b++) expect(dequantize(result, b)).toEqual(halves)
})

test('a row of zeros, a constant row, a single column', () => {
  for (const [weights, cols] of [
    [new Float32Array(33), 33],
    [new Float32Array(33).fill(-0.5), 33],
    [Float32Array.of(0.5, -2), 1],
  ] as const) {
    for (const sensitivities of [undefined, new Float32Array(weights.length), new Float32Array(weights.length).fill(2)]) {
      const result = quantizeRows(weights, { cols, sensitivities })
      for (let b = 3; b <= 8; b++) expect(dequantize(result, b)).toEqual(weights)
    }
  }
})

test('an element without sensitivity gets the nearest code of the best clustering of the others', () => {
  // Two tight groups; the insensitive 0.4 lies nearer to the lower, 0.6 nearer to the upper one.
  const weights = Float32Array.of(0.01, 0.4, 0.6, 1, 0.02, 1.01)
  const sensitivities = Float32Array.of(1, 0, 0, 1, 1, 1)
  const { planes } = quantizeRows(weights, { cols: 6, seedBits: 1, maxBits: 1, sensitivities })
  expect([...unpackPlanes(planes, 1, 6, 1)]).toEqual([0, 0, 1, 1, 0, 1])
})

test('a cluster without sensitivity is split, and its centroids are taken, as if all of it counted the same', () => {
  const row = Float32Array.of(-5, 3, -2, 1, -4, -1.75)
  const { planes, luts } = quantizeRows(row, {
    cols: 6,
    seedBits: 1,
    maxBits: 3,
    sensitivities: Float32Array.of(0, 1, 0, 2, 0, 0),
  })
  // One bit parts what counts, two bits the rest from it, three bits that rest: -5 and -4, -2 and -1.75.
  expect([...luts[2]].map(f16ToF32)).toEqual([-4.5, -1.875, 1, 1, 3, 3, 3, 3])
  expect([...unpackPlanes(planes, 1, 6, 3)]).toEqual([0, 4, 1, 2, 0, 1])
})

test('refuses what it cannot quantize', () => {
  const weights = new Float32Array(8)
  const bad = (change: () => unknown, argument: string) => {
    expect(change).toThrow(expect.objectContaining({ name: InvalidArgumentError.name, argument }))
  }
  bad(() => quantizeRows(weights, { cols: 3 }), 'weights')
  bad(() => quantizeRows(weights, { cols: 0 }), 'cols')
  bad(() => quantizeRows(weights, { cols: 4, maxBits: 9 }), 'maxBits')
  bad(() => quantizeRows(weights, { cols: 4, seedBits: 6, maxBits: 5 }), 'seedBits')
  bad(() => quantizeRows(weights, { cols: 4, sensitivities: new Float32Array(4) }), 'sensitivities')
  bad(() => quantizeRows(weights, { cols: 4, sensitivities: new Float32Array(8).fill(-1) }), 'sensitivities')
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 65520, -70000]) {
    expect(() => quantizeRows(Float32Array.of(0, 0, 0, value), { cols: 2 })).toThrow(/row 1, column 1/)
  }
  expect(dequantize(quantizeRows(Float32Array.of(65504, -65504), { cols: 2 }), 8)).toEqual(Float32Array.of(65504, -65504))
})
