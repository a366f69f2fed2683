import { InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { interleavedRounds, medianOf, ratioOf } from './rounds.js'

test('every round has a turn of each, beginning with the next one', async () => {
  const order: string[] = []
  const turn = (name: string, milliseconds: number) => async () => {
    order.push(name)
    return milliseconds
  }
  const seen: number[] = []
  const times = await interleavedRounds([turn('a', 1), turn('b', 2), turn('c', 3)], {
    rounds: 3,
    warmup: 1,
    pause: 0,
    onProgress: ({ done, total }) => seen.push(done / total),
  })
  expect(order.join('')).toBe('abcbcacababc')
  expect(times.map((t) => [...t])).toEqual([
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 3],
  ])
  expect(seen).toEqual([0.25, 0.5, 0.75, 1])
})

test('a turn that says nothing counts with all that it took', async () => {
  const [waited] = await interleavedRounds([() => new Promise<void>((done) => setTimeout(done, 15))], {
    rounds: 1,
    warmup: 0,
    pause: 0,
  })
  expect(waited[0]).toBeGreaterThan(10)
})

test('an abort is seen between turns', async () => {
  const controller = new AbortController()
  let turns = 0
  const turn = async () => {
    if (++turns === 2) controller.abort(new Error('enough'))
  }
  await expect(interleavedRounds([turn], { pause: 0, signal: controller.signal })).rejects.toThrow('enough')
  expect(turns).toBe(2)
})

test('ratios are of the same round, so that a slow round does not count', () => {
  expect(ratioOf([2, 20, 4, 6, 8], [1, 10, 2, 3, 4])).toEqual({ median: 2, low: 2, high: 2 })
  expect(ratioOf([1, 2, 3, 4], [1, 1, 1, 1])).toEqual({ median: 2.5, low: 1.75, high: 3.25 })
  expect(medianOf([3, 1, 2])).toBe(2)
  expect(() => ratioOf([1], [1, 2])).toThrow(InvalidArgumentError)
  expect(() => ratioOf([], [])).toThrow(InvalidArgumentError)
})

test.each([{ rounds: 0 }, { rounds: 1.5 }, { warmup: -1 }])('%j is refused', async (options) => {
  await expect(interleavedRounds([], options)).rejects.toThrow(InvalidArgumentError)
})
