import { checkBitPlaneWeight, createRandom, f16ToF32 } from '@dpllm/core'
import { expect, test } from 'vitest'
import { fastRandomHalves, fastRandomPlanes } from './random-planes.js'

test('planes are whole, padding bits are 0, tables ascend in every row', () => {
  const weight = fastRandomPlanes(createRandom(1), 21, 40, 3, 6)
  checkBitPlaneWeight('random', weight)
  for (let i = 1; i < weight.planes.length; i += 2) expect(weight.planes[i] >>> 8).toBe(0)
  weight.luts.forEach((lut, i) => {
    const size = 8 << i
    const values = Array.from(lut, f16ToF32)
    for (let row = 0; row < 21; row++) {
      for (let j = row * size + 1; j < (row + 1) * size; j++) expect(values[j]).toBeGreaterThan(values[j - 1])
    }
    // Codes are uniform, so the standard deviation is that of the table's values.
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)
    expect(deviation * Math.sqrt(40)).toBeGreaterThan(0.8)
    expect(deviation * Math.sqrt(40)).toBeLessThan(1.2)
  })
})

test('the same seed gives the same weight', () => {
  expect(fastRandomPlanes(createRandom(2), 4, 33, 3, 8)).toEqual(fastRandomPlanes(createRandom(2), 4, 33, 3, 8))
  expect(fastRandomPlanes(createRandom(2), 4, 33, 3, 8)).not.toEqual(fastRandomPlanes(createRandom(3), 4, 33, 3, 8))
})

test('halves are finite and small', () => {
  const { data } = fastRandomHalves(createRandom(1), 3, 5)
  expect(data.length).toBe(15)
  for (const bits of data) {
    expect(Math.abs(f16ToF32(bits))).toBeGreaterThanOrEqual(2 ** -6)
    expect(Math.abs(f16ToF32(bits))).toBeLessThan(2 ** -5)
  }
})
