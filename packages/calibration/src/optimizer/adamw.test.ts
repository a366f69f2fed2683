import { expect, test } from 'vitest'
import { type AdamWState, adamWStep } from './adamw.js'

const zeros = (length: number): AdamWState<Float64Array> => ({
  mean: new Float64Array(length),
  square: new Float64Array(length),
  steps: 0,
})
const usual = { learningRate: 0.01, weightDecay: 0.01, betas: [0.9, 0.999], epsilon: 1e-8 } as const

test('two steps by hand', () => {
  const z = Float64Array.of(2)
  const state = zeros(1)
  adamWStep(z, [0.5], state, { ...usual, learningRate: 0.1, weightDecay: 0.2 })
  // Decay 2 · (1 − 0.02) = 1.96; mean 0.05 / 0.1 = 0.5; square 0.00025 / 0.001 = 0.25: the step is 0.1.
  expect(z[0]).toBeCloseTo(1.86, 7)
  adamWStep(z, [-1], state, { ...usual, learningRate: 0.1, weightDecay: 0.2 })
  // Decay 1.8228; mean (0.045 − 0.1) / 0.19; square (0.00024975 + 0.001) / 0.001999.
  const step = (0.1 * (-0.055 / 0.19)) / Math.sqrt(0.00124975 / 0.001999)
  expect(z[0]).toBeCloseTo(1.8228 - step, 7)
  expect(state.mean[0]).toBeCloseTo(-0.055, 12)
  expect(state.square[0]).toBeCloseTo(0.00124975, 12)
  expect(state.steps).toBe(2)
})

test('the decay is decoupled from the gradient: without one, z shrinks by a ten-thousandth', () => {
  const z = Float64Array.of(3, 0)
  adamWStep(z, [0, 0], zeros(2), usual)
  expect([...z]).toEqual([3 * (1 - 1e-4), 0])
})

test('epsilon is added to the corrected root, as in PyTorch', () => {
  const z = Float64Array.of(0)
  adamWStep(z, [1e-8], zeros(1), { ...usual, weightDecay: 0 })
  expect(z[0]).toBeCloseTo(-0.005, 9)
})

test('without decay it is Adam, and single precision keeps its own', () => {
  const gradients = [0.5, -1, 2, 0.1]
  const values = Float32Array.of(3, 1)
  const state = { mean: new Float32Array(2), square: new Float32Array(2), steps: 0 }
  for (const g of gradients) adamWStep(values, [g, 0], state, { learningRate: 0.1, betas: [0.9, 0.98] })
  let [m, v, theta] = [0, 0, 3]
  gradients.forEach((g, i) => {
    m = 0.9 * m + 0.1 * g
    v = 0.98 * v + 0.02 * g ** 2
    theta -= (0.1 * (m / (1 - 0.9 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.98 ** (i + 1))) + 1e-8)
  })
  expect(values[0]).toBeCloseTo(theta, 5)
  expect(values[1]).toBe(1)
})
