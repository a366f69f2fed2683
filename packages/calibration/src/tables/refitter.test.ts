import { createRandom, dequantize, f16ToF32, lutOf } from '@dpllm/core'
import { randomBitPlanes } from '@dpllm/core/testing'
import { probeCpu } from '@dpllm/cpu-kernels'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomCovariance } from '../testing/least-squares.js'
import { refitRows } from './refit-rows.js'
import { createTableRefitter, nativeTableRefitter, typescriptTableRefitter } from './refitter.js'

const native = probeCpu().ok

interface Shape {
  rows: number
  cols: number
  seed: number
  seedBits: number
  maxBits: number
  bits: readonly number[]
  samples: number
}

/** Rows `first` … of a random matrix and what they are quantized to. */
function taskOf({ rows, cols, seed, seedBits, maxBits, bits, samples }: Shape, first = 0, count = rows - first) {
  const random = createRandom(seed)
  const weight = randomBitPlanes(seed, rows, cols, seedBits, maxBits)
  const exact = dequantize(weight, maxBits).map((w) => w + 0.01 * random.normal())
  const original = exact.subarray(first * cols, (first + count) * cols)
  return { covariance: randomCovariance(cols, samples, seed), weight, original, first, bits }
}

const shapes: fc.Arbitrary<Shape> = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    cols: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(63, 64, 65, 97, 128, 150)),
    seed: fc.nat(),
    seedBits: fc.integer({ min: 1, max: 4 }),
    moreBits: fc.integer({ min: 0, max: 3 }),
    samples: fc.constantFrom(0, 3, 200),
    mask: fc.integer({ min: 1, max: 15 }),
  })
  .map(({ seedBits, moreBits, mask, ...shape }) => {
    const all = Array.from({ length: moreBits + 1 }, (_, i) => seedBits + i)
    const some = all.filter((_, i) => (mask >> i) & 1)
    return { ...shape, seedBits, maxBits: seedBits + moreBits, bits: some.length > 0 ? some : all }
  })

test.skipIf(!native)('native code and TypeScript give the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, fc.nat(), fc.integer({ min: 1, max: 3 }), async (shape, from, threads) => {
      const task = taskOf(shape, from % shape.rows)
      expect(await nativeTableRefitter(threads).refit(task)).toEqual(refitRows(task))
    }),
    { numRuns: 150 },
  )
})

test.skipIf(!native)('so they do with blocks of every width and 8 bits', async () => {
  for (const cols of [2100, 4200, 7000]) {
    const rows = cols === 2100 ? 3 : 1
    // Inputs that are sums of a few; samples as they come would take long.
    const random = createRandom(cols)
    const directions = Float32Array.from({ length: 3 * cols }, () => random.normal())
    const covariance = new Float32Array(cols * cols)
    for (let i = 0; i < cols; i++) {
      for (let j = 0; j < cols; j++) {
        for (let d = 0; d < 3; d++) covariance[i * cols + j] += directions[d * cols + i] * directions[d * cols + j]
      }
      covariance[i * cols + i] += 1
    }
    const weight = randomBitPlanes(cols, rows, cols, 3, 8)
    const original = dequantize(weight, 8).map((w) => w + 0.01 * random.normal())
    const task = { covariance, weight, original, first: 0, bits: cols === 2100 ? [3, 8] : [4] }
    expect(await nativeTableRefitter(2).refit(task)).toEqual(refitRows(task))
  }
})

test('every row is that row alone, every bit count that one alone', () => {
  const shape = { rows: 5, cols: 75, seed: 4, seedBits: 3, maxBits: 6, bits: [3, 4, 5, 6], samples: 100 }
  const whole = refitRows(taskOf(shape))
  shape.bits.forEach((b, level) => {
    for (let row = 0; row < shape.rows; row++) {
      const part = whole[level].subarray(row << b, (row + 1) << b)
      expect(refitRows(taskOf(shape, row, 1))[level]).toEqual(part)
    }
    // Alone, its classes are summed in another order: to the nearest half, or its neighbour.
    const [alone] = refitRows({ ...taskOf(shape), bits: [b] })
    alone.forEach((half, i) => {
      expect(Math.abs(f16ToF32(half) - f16ToF32(whole[level][i]))).toBeLessThanOrEqual(
        2 ** -10 * Math.abs(f16ToF32(half)) + 2 ** -24,
      )
    })
  })
})

test('tables ascend, are finite, and differ from the old ones', () => {
  const shape = { rows: 6, cols: 100, seed: 5, seedBits: 3, maxBits: 6, bits: [3, 4, 5, 6], samples: 100 }
  const task = taskOf(shape)
  refitRows(task).forEach((table, level) => {
    const size = 2 ** shape.bits[level]
    const values = Array.from(table, f16ToF32)
    expect(values.every(Number.isFinite)).toBe(true)
    expect(values.every((value, i) => i % size === 0 || value >= values[i - 1])).toBe(true)
    expect(table).not.toEqual(lutOf(task.weight, shape.bits[level]))
  })
})

test('native code is taken where it can be loaded', () => {
  expect(createTableRefitter().name).toBe(native ? 'native' : 'typescript')
  expect(typescriptTableRefitter().rowsPerCall(2 ** 15)).toBe(1)
  expect(nativeTableRefitter(2).rowsPerCall(2 ** 15)).toBe(128)
  expect(() => nativeTableRefitter(0)).toThrow(expect.objectContaining({ argument: 'threads' }))
})
