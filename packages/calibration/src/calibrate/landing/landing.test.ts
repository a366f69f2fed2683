import { createRandom } from '@dpllm/core'
import { type BudgetLinear, priceThresholds } from '@dpllm/estimators'
import { expect, test } from 'vitest'
import { bitsAt, LOG_PRICES, priceFor } from './land-price.js'
import { landingPasses, landShift } from './land-shift.js'

const random = createRandom(5)

/** Linears of different sizes, with errors that fall fourfold with each bit, as those of quantizers do. */
const linears = [1000, 3000, 500].map((weights, i): BudgetLinear => {
  const errors = Float64Array.from({ length: 3 }, (_, j) => 0.01 * (i + 1) * 4 ** -j)
  const probe = { kind: 'probe', weights: { dtype: 'f32', shape: [1], data: Float32Array.of(1) }, bias: 0 } as const
  return { name: `linear${i}`, weights, minBits: 3, errors, probe }
})
const estimates = linears.map(() => Float32Array.from({ length: 2000 }, () => 4 * random.uniform() - 2))

const bits = (logPrice: number) => bitsAt(linears, priceThresholds(linears), estimates, logPrice)

test('a price is found for every target, and bits fall as it rises', () => {
  for (const targetBits of [3.1, 3.5, 4, 4.5, 4.9]) {
    const price = priceFor(linears, estimates, targetBits)
    // One token of the largest linear is 3000 / (2000 · 4500) of a bit.
    expect(Math.abs(bits(price) - targetBits)).toBeLessThan(1e-3)
    expect(bits(price + 0.1)).toBeLessThan(bits(price - 0.1))
  }
  expect(bits(LOG_PRICES[0])).toBe(5)
  expect(bits(LOG_PRICES[1])).toBe(3)
})

test('a shift makes up for what the running model reads too much, and the nearest pass counts', async () => {
  const shifts: number[] = []
  const { shift, measuredBits } = await landShift(3.5, async (shift) => {
    shifts.push(shift)
    return 3.5 + 0.06 + 0.9 * shift
  })
  expect(shifts[0]).toBe(0)
  expect(Math.abs(measuredBits - 3.5)).toBeLessThan(0.002)
  expect(shift).toBe(shifts.at(-1))

  const answers = [3.6, 3.45, 3.7, 3.58]
  const never = await landShift(3.5, async (_, pass) => answers[pass])
  expect(never.measuredBits).toBe(3.45)
  expect(answers).toHaveLength(landingPasses)
})
