import { createRandom } from '@dpllm/core'
import { expect, test } from 'vitest'
import { nearestBounds } from './clustering.js'
import { lloyd } from './lloyd.js'
import { meanOf, sortElements } from './sorted-elements.js'

test('an element on a midpoint goes right', () => {
  const values = Float32Array.of(0, 1, 2, 3, 4)
  expect([...nearestBounds(values, Float32Array.of(0, 4))]).toEqual([0, 2, 5])
  expect([...nearestBounds(values, Float32Array.of(0, 3.9))]).toEqual([0, 2, 5])
  expect([...nearestBounds(values, Float32Array.of(0, 4.5))]).toEqual([0, 3, 5])
  expect([...nearestBounds(values, Float32Array.of(1, 1, 1))]).toEqual([0, 1, 1, 5])
})

test('by hand: two rounds, then the borders repeat', () => {
  // 0 1 2 | 10: means 1 and 10, midpoint 5.5; from 0 and 2 the first border is before 1 (on the midpoint).
  const { bounds, centroids } = lloyd(sortElements(Float32Array.of(10, 0, 2, 1)), Float32Array.of(0, 2))
  expect([...bounds]).toEqual([0, 3, 4])
  expect([...centroids]).toEqual([1, 10])
})

test('an empty cluster keeps its centroid; one without weight gets the plain mean', () => {
  const empty = lloyd(sortElements(Float32Array.of(0, 1, 8, 9)), Float32Array.of(0, 5, 9))
  expect([...empty.bounds]).toEqual([0, 2, 2, 4])
  expect([...empty.centroids]).toEqual([0.5, 5, 8.5])

  const weightless = lloyd(sortElements(Float32Array.of(1, 2, 8, 9), Float32Array.of(0, 0, 1, 3)), Float32Array.of(1, 9))
  expect([...weightless.bounds]).toEqual([0, 2, 4])
  expect([...weightless.centroids]).toEqual([1.5, 8.75])
})

test('ends in a fixed point: centroids are the means of the elements nearest to them, as f32', () => {
  const random = createRandom(5)
  for (let round = 0; round < 50; round++) {
    const row = Float32Array.from({ length: 200 }, random.normal)
    const sorted = sortElements(
      row,
      row.map(() => random.normal() ** 2),
    )
    const start = row.slice(0, 8).sort()
    const { bounds, centroids } = lloyd(sorted, start)
    expect([...bounds]).toEqual([...nearestBounds(sorted.values, centroids)])
    for (let j = 0; j < 8; j++) {
      if (bounds[j] < bounds[j + 1]) expect(centroids[j]).toBe(Math.fround(meanOf(sorted, bounds[j], bounds[j + 1])))
    }
  }
})

test('stops after 50 rounds', () => {
  const values = Float32Array.from({ length: 4096 }, (_, i) => i)
  const start = Float32Array.from({ length: 8 }, (_, j) => j)
  const centroids = start.slice()
  let borders: number[] = []
  for (let round = 0; round < 50; round++) {
    borders = Array.from({ length: 9 }, (_, j) =>
      j === 0 ? 0 : j === 8 ? 4096 : Math.ceil((centroids[j - 1] + centroids[j]) / 2),
    )
    for (let j = 0; j < 8; j++) if (borders[j] < borders[j + 1]) centroids[j] = (borders[j] + borders[j + 1] - 1) / 2
  }
  const result = lloyd(sortElements(values), start)
  expect([...result.bounds]).toEqual(borders)
  expect(result.centroids).toEqual(centroids)
  // It had not arrived.
  expect([...nearestBounds(values, result.centroids)]).not.toEqual(borders)
})
