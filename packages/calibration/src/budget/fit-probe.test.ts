import { createRandom, InvalidArgumentError, type Tensor } from '@dpllm/core'
import { relativeError } from '@dpllm/core/testing'
import { expect, test } from 'vitest'
import { fitProbe } from './fit-probe.js'
import { probeEstimates } from './probe-estimates.js'
import { topShare } from './top-share.js'

const WIDTH = 60

/** Features whose columns differ in mean and size, and targets exp(w · u) times noise of mean 1. */
function planted(tokens: number, seed: number, strength = 1, noise = () => 1) {
  const random = createRandom(seed)
  const scales = Array.from({ length: WIDTH }, (_, k) => 0.1 * 1.1 ** k)
  const weights = Float64Array.from(scales, (scale) => (strength * random.normal()) / (scale * Math.sqrt(WIDTH)))
  const data = Float32Array.from({ length: tokens * WIDTH }, (_, i) => scales[i % WIDTH] * (random.normal() + (i % WIDTH) / 4))
  const features: Tensor<'f32'> = { dtype: 'f32', shape: [tokens, WIDTH], data }
  const exponents = Float32Array.from({ length: tokens }, (_, t) =>
    weights.reduce((sum, w, k) => sum + w * data[t * WIDTH + k], 0),
  )
  const targets = exponents.map((e) => 1e-3 * Math.exp(e) * noise())
  return { features, exponents, targets, weights }
}

/** −log of a uniform number: mean 1, as squared gradients are. */
function exponential(seed: number): () => number {
  const random = createRandom(seed)
  return () => -Math.log(random.uniform() + 2 ** -33)
}

const poisson = (estimates: ArrayLike<number>, y: ArrayLike<number>) =>
  Array.from(estimates, (e, t) => Math.exp(e) - y[t] * e).reduce((a, b) => a + b) / estimates.length

test('recovers a planted relation, and is better than the mean on tokens that it has not seen', async () => {
  const tokens = 40000
  const { features, exponents, targets } = planted(tokens, 1, 1, exponential(2))
  const { probe, heldOutShare } = await fitProbe(features, targets)
  const fitted = 0.9 * tokens
  const mean = targets.subarray(0, fitted).reduce((a, b) => a + b) / fitted
  const estimates = probeEstimates(probe, features.data)
  const centred = (values: Float32Array) => {
    const mean = values.reduce((a, b) => a + b) / values.length
    return values.map((value) => value - mean)
  }
  expect(relativeError(centred(estimates), centred(exponents))).toBeLessThan(0.15)
  const held = targets.subarray(fitted).map((target) => target / mean)
  expect(poisson(estimates.subarray(fitted), held)).toBeLessThan(poisson(new Float32Array(held.length), held) - 0.2)
  // exp(e) is the expected target over the mean.
  const predicted = estimates.reduce((sum, e) => sum + Math.exp(e), 0) / tokens
  expect(predicted).toBeGreaterThan(0.9)
  expect(predicted).toBeLessThan(1.1)
  // What the planted relation itself finds is the most that there is.
  const most = topShare(exponents.subarray(fitted), targets.subarray(fitted))
  expect(most).toBeGreaterThan(0.5)
  expect(heldOutShare).toBeGreaterThan(0.97 * most)
  expect(heldOutShare).toBe(topShare(estimates.subarray(fitted), targets.subarray(fitted)))
})

test('where nothing can be predicted, it is near the mean', async () => {
  const noise = exponential(3)
  const { features } = planted(8000, 4)
  const targets = Float32Array.from({ length: 8000 }, () => 5 * noise())
  const { probe, heldOutShare } = await fitProbe(features, targets)
  const estimates = probeEstimates(probe, features.data)
  expect(Math.sqrt(estimates.reduce((sum, e) => sum + e * e, 0) / 8000)).toBeLessThan(0.15)
  expect(Math.abs(heldOutShare - 0.25)).toBeLessThan(0.05)
})

test('held-out tokens are not fitted to, and the same seed gives the same bytes', async () => {
  const { features, targets } = planted(1000, 5, 1, exponential(6))
  const first = await fitProbe(features, targets)
  expect(await fitProbe(features, targets)).toEqual(first)
  expect((await fitProbe(features, targets, { seed: 1 })).probe).not.toEqual(first.probe)
  const changed = { ...features, data: features.data.map((x, i) => (i < 900 * WIDTH ? x : -x)) }
  const other = targets.map((target, t) => (t < 900 ? target : 7 * target + 1))
  expect((await fitProbe(changed, other)).probe).toEqual(first.probe)
  expect((await fitProbe(features, other, { heldOut: 0.05 })).probe).not.toEqual(first.probe)
})

test('targets are capped, large exponents harmless, and columns that never change have no weight of their own', async () => {
  const { features, targets } = planted(2000, 7, 6, exponential(8))
  // One of a million times the mean, columns of a constant.
  targets[3] = 1e6
  for (let t = 0; t < 2000; t++) features.data[t * WIDTH] = 3
  const { probe } = await fitProbe(features, targets)
  expect([...probe.weights.data, probe.bias].every(Number.isFinite)).toBe(true)
  const zeros = await fitProbe(features, new Float32Array(2000))
  expect(Math.max(...zeros.probe.weights.data.map(Math.abs))).toBe(0)
  expect(zeros.probe.bias).toBeCloseTo(0, 6)
  expect(zeros.heldOutShare).toBeNaN()
})

test('what cannot be fitted is refused, and an abort ends a fit', async () => {
  const { features, targets } = planted(100, 9)
  const bad: [Parameters<typeof fitProbe>, RegExp][] = [
    [[{ ...features, shape: [50, WIDTH] }, targets], /features/],
    [[features, targets.subarray(1)], /100, one for each token/],
    [[features, targets.map((target, t) => (t === 7 ? -1 : target))], /at least 0, found -1/],
    [[features, targets.map((target, t) => (t === 7 ? Number.NaN : target))], /found NaN/],
    [[{ ...features, data: features.data.map((x, i) => (i === 5 ? 1 / 0 : x)) }, targets], /finite/],
    [[features, targets, { heldOut: 1 }], /heldOut/],
    [[features, targets, { heldOut: 0 }], /heldOut/],
  ]
  for (const [args, message] of bad) {
    const error = await fitProbe(...args).catch((e) => e)
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(error.message).toMatch(message)
  }
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(fitProbe(features, targets, { signal })).rejects.toThrow('enough')
})

test('the share of the top quarter', () => {
  expect(topShare([4, 3, 2, 1], [10, 1, 1, 8])).toBe(0.5)
  expect(topShare([1, 2, 3, 4], [10, 1, 1, 8])).toBe(0.4)
  // A quarter of six tokens is one and a half.
  expect(topShare([6, 5, 4, 3, 2, 1], [2, 4, 1, 1, 1, 1])).toBeCloseTo(0.4, 12)
  expect(topShare([1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1])).toBeCloseTo(0.25, 12)
  expect(topShare([1, 2], [0, 0])).toBeNaN()
})
