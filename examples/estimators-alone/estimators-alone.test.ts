import { expect, test } from 'vitest'
import { compare } from './index.mjs'

test('dynamic precision meets its target and errs less than chance at the same bits', () => {
  const results = compare()
  expect(results.dynamic.bits).toBeCloseTo(3.25, 1)
  expect(results['by chance'].bits).toBeCloseTo(3.25, 1)
  expect(results.dynamic.error).toBeLessThan(results['by chance'].error)
  expect(results.dynamic.error).toBeGreaterThan(results['always 4'].error)
})
