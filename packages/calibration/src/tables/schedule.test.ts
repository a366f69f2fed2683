import { expect, test } from 'vitest'
import { learningRateAt } from './schedule.js'

test('the rate rises for ten steps, stays until half and falls to 3 %', () => {
  const rate = (step: number) => learningRateAt(step, 200, 2)
  expect([0, 4, 9, 50, 100].map(rate)).toEqual([0.2, 1, 2, 2, 2])
  expect(rate(150)).toBe(1)
  expect(rate(199)).toBeCloseTo(0.06, 12)
  for (let step = 101; step < 200; step++) expect(rate(step)).toBeLessThanOrEqual(rate(step - 1))
})
