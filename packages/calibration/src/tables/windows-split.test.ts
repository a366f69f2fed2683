import { InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { LEAST_WINDOWS, splitWindows } from './windows-split.js'

const windows = (count: number) => Array.from({ length: count }, (_, i) => Uint32Array.of(i))

test.each([
  [64, 8],
  [100, 12],
  [2000, 16],
])('of %i windows %i are held out, all over the text and the same ones each time', (count, heldOut) => {
  const split = splitWindows(windows(count), 1)
  const ids = split.heldOut.map(([id]) => id)
  expect(ids).toHaveLength(heldOut)
  expect(new Set([...ids, ...split.training.map(([id]) => id)]).size).toBe(count)
  expect(ids[0]).toBeLessThan(count / heldOut)
  expect(ids.at(-1)).toBeGreaterThan(count - count / heldOut)
  expect(splitWindows(windows(count), 1)).toEqual(split)
})

test('a text that is too short is refused', () => {
  expect(() => splitWindows(windows(LEAST_WINDOWS - 1), 256)).toThrow(InvalidArgumentError)
  expect(() => splitWindows(windows(3), 256)).toThrow(/64 windows of 256 tokens.*3 windows/)
})
