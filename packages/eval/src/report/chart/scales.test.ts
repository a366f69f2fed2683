import { expect, test } from 'vitest'
import { axisScale, logTicks } from './scales.js'

test('linear with a margin; values lie between the ends', () => {
  const { type, domain, at } = axisScale([2, 4], [0, 110])
  expect(type).toBe('linear')
  expect(domain[0]).toBeCloseTo(1.9, 12)
  expect(domain[1]).toBeCloseTo(4.1, 12)
  expect(at(2)).toBeCloseTo(5, 10)
  expect(at(3)).toBeCloseTo(55, 10)
})

test('logarithmic for positive values that are far apart, unless that is not wanted', () => {
  const { type, at } = axisScale([10, 1000], [100, 0])
  expect(type).toBe('log')
  expect(at(100)).toBeCloseTo(50, 10)
  expect(axisScale([10, 1000], [100, 0], { log: false }).type).toBe('linear')
  expect(axisScale([-1, 1000], [100, 0]).type).toBe('linear')
})

test('from zero; and below it where values are', () => {
  expect(axisScale([10, 1000], [0, 105], { zero: true })).toMatchObject({ type: 'linear', domain: [0, 1049.5 + 0.5] })
  expect(axisScale([-10, 10], [0, 1], { zero: true }).domain[0]).toBeLessThan(-10)
})

test('a single value has room around it', () => {
  expect(axisScale([4], [0, 10]).at(4)).toBeCloseTo(5, 10)
  expect(axisScale([0, 0], [0, 10]).at(0)).toBeCloseTo(5, 10)
})

test('numbers of logarithmic axes', () => {
  expect(logTicks([3, 110])).toEqual([5, 10, 20, 50, 100])
  expect(logTicks([0.4, 1.5])).toEqual([0.5, 1])
  expect(logTicks(axisScale([1, 3.01], [0, 1]).domain)).toEqual([1, 2])
})
