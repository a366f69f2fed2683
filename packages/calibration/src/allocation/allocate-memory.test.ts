import { createRandom, truncateBits, weightBytes } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quantizeRows } from '../quantizer/quantize-rows.js'
import { allocateMemory, loadedBytes } from './allocate-memory.js'

test('the bytes of a weight are those that it takes when it is loaded', () => {
  const random = createRandom(1)
  for (const cols of [31, 32, 45]) {
    const weight = quantizeRows(
      Float32Array.from({ length: 6 * cols }, () => random.normal()),
      { cols, maxBits: 7 },
    )
    for (let bits = 3; bits <= 7; bits++) expect(loadedBytes(weight, bits)).toBe(weightBytes(truncateBits(weight, bits)))
  }
})

test('bits for a memory are the best of all combinations', () => {
  const linear = fc.record({
    weights: fc.integer({ min: 1, max: 1000 }),
    minBits: fc.constant(3),
    costs: fc.array(fc.integer({ min: -5, max: 50 }), { minLength: 3, maxLength: 3 }),
    bytes: fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 3, maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(linear, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 2000 }), (linears, budget) => {
      let all = [{ bytes: 0, cost: 0 }]
      for (const { costs, bytes } of linears)
        all = all.flatMap((sum) => costs.map((cost, j) => ({ cost: sum.cost + cost, bytes: sum.bytes + bytes[j] })))
      const [best] = all.filter(({ bytes }) => bytes <= budget).sort((a, b) => a.cost - b.cost || a.bytes - b.bytes)
      if (best === undefined) expect(() => allocateMemory(linears, budget)).toThrow(/bytes are possible/)
      else expect(allocateMemory(linears, budget)).toMatchObject({ ...best, gap: 0 })
    }),
  )
})

test('bits of Llama-3-8B for the memory of its planes and tables are proven best', () => {
  const random = createRandom(5)
  const shapes = [4096, 1024, 1024, 4096, 14336, 14336].map((rows) => [rows, 4096]).concat([[4096, 14336]])
  const linears = Array.from({ length: 32 }, () => shapes).flatMap((block) =>
    block.map(([rows, cols]) => {
      const scale = rows * cols * Math.exp(random.normal())
      return {
        weights: rows * cols,
        minBits: 3,
        costs: [3, 4, 5, 6].map((b) => scale * 4 ** -b),
        bytes: [3, 4, 5, 6].map((b) => loadedBytes({ rows, cols, seedBits: 3 }, b)),
      }
    }),
  )
  const budget = 4.5e9
  const { bytes, gap, averageBits, bits } = allocateMemory(linears, budget)
  expect(gap).toBe(0)
  expect(bytes).toBe(bits.reduce((sum, b, i) => sum + linears[i].bytes[b - 3], 0))
  // The smallest step, a bit of a k_proj, is half a megabyte.
  expect(budget - bytes).toBeGreaterThanOrEqual(0)
  expect(budget - bytes).toBeLessThan(2 ** 19 + 2 ** 17)
  // Without tables it would be 5.16 bits. Those up to 5 or 6 bits take 112 or 240 bytes a row of 4096: 0.22 or 0.47 bits.
  expect((8 * budget) / 6.979e9 - averageBits).toBeGreaterThan(0.1)
  expect((8 * budget) / 6.979e9 - averageBits).toBeLessThan(0.3)
})

test('what does not fit is refused', () => {
  const linears = [{ weights: 8, minBits: 3, costs: [1, 0], bytes: [30, 40] }]
  expect(() => allocateMemory(linears, 29)).toThrow(/within 29 bytes; from 30 to 40 bytes are possible/)
  expect(allocateMemory(linears, 39).bits).toEqual([3])
  expect(() => allocateMemory([{ ...linears[0], bytes: [30] }], 50)).toThrow(/linears\[0\]\.bytes: expected 2/)
})
