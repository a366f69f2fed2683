import { expect, test } from 'vitest'
import { effectiveBits } from './linears.js'

test('effective bits are weighted by parameters and averaged over tokens', () => {
  const linear = { minBits: 3, maxBits: 8, module: 'm' }
  const linears = [
    { ...linear, rows: 10, cols: 10 },
    { ...linear, rows: 10, cols: 30 },
  ]
  expect(effectiveBits(linears, Uint8Array.of(3, 5, 4, 8), 2)).toBeCloseTo((4 * 100 + 6 * 300) / 400, 12)
})
