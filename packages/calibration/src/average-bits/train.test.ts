import { expect, test } from 'vitest'
import { createAdamWState } from './adamw.js'
import type { MixedModel } from './mixed-model.js'
import { type AverageBitsObjective, settingsOf } from './options.js'
import { averageBitsOf, meanBits } from './parametrization.js'
import { trainStep } from './train.js'
import { createGradientMoments } from './whole-bits.js'

const linears = Array.from({ length: 8 }, () => ({ weights: 10, minBits: 3, maxBits: 6 }))
/** What each p would be without a penalty. */
const wanted = linears.map((_, i) => 4 + i / 10)

/**
 * Windows of one prediction, whose loss is Σ ½ (p − wanted)² ± p: their gradients have the variance 1, as the curvature is.
 */
const quadratic: MixedModel = {
  run: async (window, _, averageBits) => {
    const sign = window[0] === 0 ? 1 : -1
    const errors = Float64Array.from(averageBits, (p, i) => p - wanted[i])
    return { loss: errors.reduce((sum, e) => sum + (e * e) / 2, 0), gradient: errors.map((e) => e + sign) }
  },
  [Symbol.asyncDispose]: async () => {},
}

async function train(objective: AverageBitsObjective): Promise<Float64Array> {
  const windows = [Uint32Array.of(0, 0), Uint32Array.of(1, 0)]
  const steps = { targetBits: 3.5, maxBits: [], objective, alpha: 300, learningRate: 0.02, weightDecay: 0, steps: 3000 }
  const moments = createGradientMoments(8)
  const state = { z: new Float64Array(8).fill(-1.6), adamW: createAdamWState(8), moments, losses: [] }
  for (let i = 0; i < 3000; i++) await trainStep(quadratic, linears, windows, state, settingsOf(steps, 2))
  return averageBitsOf(linears, state.z)
}

test('a mixture is best where all are as far from what they want', async () => {
  const p = await train('mixture')
  expect(meanBits(linears, p)).toBeCloseTo(3.5, 1)
  p.forEach((value, i) => {
    expect(value).toBeCloseTo(3.15 + i / 10, 1)
  })
})

test('of whole bits, those are best that give half of the linears one more', async () => {
  const p = await train('whole-bits')
  expect(meanBits(linears, p)).toBeCloseTo(3.5, 1)
  p.forEach((value, i) => {
    expect(Math.abs(value - (i < 4 ? 3 : 4)), `${i}`).toBeLessThan(0.15)
  })
})
