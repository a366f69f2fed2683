import { type BitPlaneWeight, createRandom, dequantize, f16ToF32, lutOf, unpackPlanes } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quantizeEachRow, quantizeRows } from '../quantize-rows.js'
import { type ReferenceModeOptions, referenceModeRow } from './quantize-row.js'

interface Matrix {
  readonly weights: Float32Array
  readonly cols: number
  readonly sensitivities?: Float32Array | undefined
  readonly seedBits?: number
  readonly maxBits?: number
}

function inReferenceMode({ weights, ...options }: Matrix, mode?: ReferenceModeOptions): BitPlaneWeight {
  return quantizeEachRow(weights, options, referenceModeRow(mode))
}

/** Gaussian weights with χ²-like sensitivities, or both with heavier tails: the rows of algorithms.md §1.5.3. */
function randomMatrix(rows: number, cols: number, seed: number, tails: 'light' | 'heavy'): Matrix {
  const random = createRandom(seed)
  const stretch = () => (tails === 'light' ? 1 : Math.exp(random.normal()))
  const weights = Float32Array.from({ length: rows * cols }, () => 0.02 * random.normal() * Math.sqrt(stretch()))
  return { weights, cols, sensitivities: weights.map(() => random.normal() ** 2 * stretch() + 1e-4) }
}

/** Σ s (w − approximation)² of each row, for each bit count from 3 to 8. */
function rowErrors({ weights, sensitivities, cols }: Matrix, quantized: BitPlaneWeight): number[][] {
  return [3, 4, 5, 6, 7, 8].map((bits) => {
    const approximate = dequantize(quantized, bits)
    const errors = new Array<number>(quantized.rows).fill(0)
    weights.forEach((w, i) => {
      errors[Math.floor(i / cols)] += (sensitivities?.[i] ?? 1) * (w - approximate[i]) ** 2
    })
    return errors
  })
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** Errors of tables as f64 differ from those of halves by less than this at the seed level. */
const HALVES = 1e-5

// Beyond the seed the exact quantizer may lose on a single row: the best seed need not have the best halves.
test.each(['light', 'heavy'] as const)(
  'its error is above the exact quantizer: each row at 3 bits, each bit count (%s)',
  (tails) => {
    const matrix = randomMatrix(20, 4096, 7, tails)
    const exact = rowErrors(matrix, quantizeRows(matrix.weights, matrix))
    const theirs = rowErrors(matrix, inReferenceMode(matrix))
    exact[0].forEach((error, r) => {
      expect(error).toBeLessThanOrEqual(theirs[0][r] * (1 + HALVES))
    })
    exact.forEach((errors, level) => {
      const ratio = sum(theirs[level]) / sum(errors)
      expect(ratio).toBeGreaterThan(1)
      // Algorithms.md §1.5.3 has 1.01 to 1.15 for the light tails, in other rows.
      if (tails === 'light') expect(ratio).toBeLessThan(1.2)
    })
    expect(sum(exact.map(sum))).toBeLessThan(sum(theirs.map(sum)))
  },
)

test.each(['light', 'heavy'] as const)(
  'refreshed tables have the same codes and no more error at any bit count (%s)',
  (tails) => {
    const matrix = randomMatrix(20, 1024, 9, tails)
    const asTheirs = inReferenceMode(matrix)
    const refreshed = inReferenceMode(matrix, { lutRefresh: true })
    expect(refreshed.planes).toEqual(asTheirs.planes)
    const [before, after] = [asTheirs, refreshed].map((quantized) => rowErrors(matrix, quantized).map(sum))
    after.forEach((error, level) => {
      expect(error).toBeLessThanOrEqual(before[level] * (1 + 1e-4))
    })
    // Nothing is stale before the first splits; after five levels of them much is.
    expect(after[0]).toBe(before[0])
    expect(after[5]).toBeLessThan(0.99 * before[5])
  },
)

test('refreshed tables hold the weighted means, plain ones where nothing has weight', () => {
  const { weights, cols } = randomMatrix(3, 500, 10, 'light')
  const random = createRandom(11)
  const sensitivities = weights.map(() => (random.uniform() < 0.7 ? 0 : random.uniform()))
  const quantized = inReferenceMode({ weights, cols, sensitivities }, { lutRefresh: true })
  for (let bits = 3; bits <= 8; bits++) {
    const codes = unpackPlanes(quantized.planes, 3, cols, bits)
    const sums = Array.from({ length: 3 << bits }, () => ({ count: 0, plain: 0, weight: 0, moment: 0 }))
    weights.forEach((w, i) => {
      const cluster = sums[(Math.floor(i / cols) << bits) + codes[i]]
      cluster.count++
      cluster.plain += w
      cluster.weight += sensitivities[i]
      cluster.moment += sensitivities[i] * w
    })
    sums.forEach(({ count, plain, weight, moment }, entry) => {
      if (count === 0) return
      const mean = weight === 0 ? plain / count : moment / weight
      const centroid = f16ToF32(lutOf(quantized, bits)[entry])
      expect(Math.abs(centroid - mean)).toBeLessThanOrEqual(Math.max(Math.abs(mean) * 2 ** -10.9, 2 ** -25))
    })
  }
})

test('a seed gives the same bytes always, whatever rows are quantized with it; another seed gives others', () => {
  const matrix = randomMatrix(5, 300, 12, 'light')
  const whole = inReferenceMode(matrix, { seed: 3 })
  expect(inReferenceMode(matrix, { seed: 3 })).toEqual(whole)
  expect(inReferenceMode(matrix)).toEqual(inReferenceMode(matrix, { seed: 0 }))
  expect(inReferenceMode(matrix, { seed: 4 }).planes).not.toEqual(whole.planes)
  const third = inReferenceMode(
    { cols: 300, weights: matrix.weights.subarray(600, 900), sensitivities: matrix.sensitivities?.subarray(600, 900) },
    { seed: 3 },
  )
  for (const bits of [3, 8]) expect(dequantize(third, bits)).toEqual(dequantize(whole, bits).subarray(600, 900))
})

test('every row draws from a stream of its own', () => {
  // Scaled by powers of two, a row gives the same codes from the same draws.
  const { weights: row } = randomMatrix(1, 200, 13, 'light')
  const weights = Float32Array.from({ length: 10 * 200 }, (_, i) => row[i % 200] * 2 ** Math.floor(i / 200))
  const { planes } = inReferenceMode({ weights, cols: 200, maxBits: 3 })
  const codes = unpackPlanes(planes, 10, 200, 3)
  const different = new Set(Array.from({ length: 10 }, (_, r) => codes.subarray(r * 200, (r + 1) * 200).join()))
  expect(different.size).toBeGreaterThan(1)
})

const matrices = fc
  .record({
    cols: fc.integer({ min: 1, max: 90 }),
    seed: fc.nat(),
    grid: fc.constantFrom(0, 2 ** -8, 2 ** -6, 1),
    kind: fc.constantFrom('none', 'wild', 'sparse', 'zero'),
    seedBits: fc.integer({ min: 1, max: 4 }),
    maxBits: fc.integer({ min: 4, max: 8 }),
    lutRefresh: fc.boolean(),
  })
  .map(({ cols, seed, grid, kind, ...rest }) => {
    const random = createRandom(seed)
    const weights = Float32Array.from({ length: 2 * cols }, () => 0.02 * random.normal())
    const onGrid = grid > 0 ? weights.map((w) => Math.round(w / grid) * grid) : weights
    const kinds = {
      none: undefined,
      wild: weights.map(() => Math.exp(12 * random.normal())),
      sparse: weights.map(() => (random.uniform() < 0.8 ? 0 : random.normal() ** 2)),
      zero: weights.map(() => 0),
    }
    return { weights: onGrid, cols, sensitivities: kinds[kind], ...rest }
  })

test('whatever the rows and sensitivities: tables ascend within the row, codes order the values', () => {
  fc.assert(
    fc.property(matrices, ({ lutRefresh, ...matrix }) => {
      const { weights, cols, seedBits, maxBits } = matrix
      const quantized = inReferenceMode(matrix, { lutRefresh })
      const codes = unpackPlanes(quantized.planes, 2, cols, maxBits)
      for (let r = 0; r < 2; r++) {
        const row = weights.subarray(r * cols, (r + 1) * cols)
        const order = Array.from(row, (_, i) => i).sort((a, b) => row[a] - row[b] || codes[r * cols + a] - codes[r * cols + b])
        expect(order.every((i, n) => n === 0 || codes[r * cols + i] >= codes[r * cols + order[n - 1]])).toBe(true)
        const [least, most] = [row[order[0]], row[order[cols - 1]]]
        const slack = 2 ** -11 * Math.max(-least, most) + 2 ** -25
        for (let bits = seedBits; bits <= maxBits; bits++) {
          const table = Array.from(lutOf(quantized, bits).subarray(r << bits, (r + 1) << bits), f16ToF32)
          expect(table.every((c, j) => c >= least - slack && c <= most + slack && (j === 0 || c >= table[j - 1]))).toBe(true)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('refreshed tables ascend past an empty cluster whose neighbour is off by rounding', () => {
  // Beside 2e20 the weights of 3 and 4 are lost, but not their moments: {2, 3, 4} seems to have one element with weight,
  // so that all go left and the empty right half gets 2; yet the mean of the left half comes out above 2.
  const weights = Float32Array.of(-1, 1, 2, 3, 4)
  const sensitivities = Float32Array.of(1e20, 1e20, 1e5, 1000, 1000)
  const quantized = inReferenceMode({ weights, cols: 5, sensitivities, seedBits: 1, maxBits: 3 }, { lutRefresh: true })
  expect([...unpackPlanes(quantized.planes, 1, 5, 3)]).toEqual([0, 4, 6, 6, 6])
  const table = Array.from(lutOf(quantized, 3), f16ToF32)
  expect(table[6]).toBeGreaterThan(2)
  expect(table[7]).toBe(table[6])
})

test('rows of zeros, constant rows and single columns come back as they are', () => {
  for (const [weights, cols] of [
    [new Float32Array(33), 33],
    [new Float32Array(33).fill(-0.5), 33],
    [Float32Array.of(0.5, -2), 1],
  ] as const) {
    for (const sensitivities of [undefined, new Float32Array(weights.length), new Float32Array(weights.length).fill(2)]) {
      const quantized = inReferenceMode({ weights, cols, sensitivities })
      for (let bits = 3; bits <= 8; bits++) expect(dequantize(quantized, bits)).toEqual(weights)
    }
  }
})
