import { expect, test } from 'vitest'
import { adamStep, createMoments } from './adam.js'

test('the first step is the learning rate against the sign; what has no gradient stays', () => {
  const values = Float32Array.of(1, 1, 1)
  adamStep(values, Float32Array.of(20, -0.003, 0), createMoments(3), 0.25)
  expect(values[0]).toBeCloseTo(0.75, 6)
  expect(values[1]).toBeCloseTo(1.25, 5)
  expect(values[2]).toBe(1)
})

test('later steps follow the published algorithm', () => {
  const gradients = [0.5, -1, 2, 0.1]
  const values = Float32Array.of(3)
  const moments = createMoments(1)
  for (const g of gradients) adamStep(values, Float32Array.of(g), moments, 0.1)
  let [m, v, theta] = [0, 0, 3]
  gradients.forEach((g, i) => {
    m = 0.9 * m + 0.1 * g
    v = 0.98 * v + 0.02 * g ** 2
    theta -= (0.1 * (m / (1 - 0.9 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.98 ** (i + 1))) + 1e-8)
  })
  expect(values[0]).toBeCloseTo(theta, 5)
  expect(moments.steps).toBe(4)
})
