import { expect, test } from 'vitest'
import { drawsOf, windowsOfStep } from './step-draws.js'

test('an epoch has every window once, and the next one another order', () => {
  const epoch = (first: number) => Array.from({ length: 5 }, (_, step) => windowsOfStep(first + step, 3, 15, 7)).flat()
  const [one, two] = [epoch(0), epoch(5)]
  const all = Array.from({ length: 15 }, (_, i) => i)
  expect([...one].sort((a, b) => a - b)).toEqual(all)
  expect([...two].sort((a, b) => a - b)).toEqual(all)
  expect(one).not.toEqual(two)
  expect(one).not.toEqual(all)
})

test('a step may reach over the end of an epoch, and a batch be larger than the text', () => {
  expect(windowsOfStep(2, 4, 10, 1)).toHaveLength(4)
  expect(new Set(windowsOfStep(0, 7, 2, 1))).toEqual(new Set([0, 1]))
})

test('draws depend on seed, purpose and number alone', () => {
  const draw = (...[seed, purpose, number]: Parameters<typeof drawsOf>) => drawsOf(seed, purpose, number).uint32()
  expect(draw(1, 'step', 5)).toBe(draw(1, 'step', 5))
  const others = [draw(2, 'step', 5), draw(1, 'epoch', 5), draw(1, 'step', 6)]
  expect(new Set([draw(1, 'step', 5), ...others]).size).toBe(4)
})
