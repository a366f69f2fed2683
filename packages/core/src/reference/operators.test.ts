import { expect, test } from 'vitest'
import { erf } from './activations.js'
import { attention } from './attention.js'
import { createDenseWeights, linear, matVec } from './linear.js'
import { crossEntropy, embed, gate, rmsNorm, rope, split, take } from './operators.js'

const f32 = (...values: number[]) => Float32Array.from(values)

test('embed, take and split move rows', () => {
  const out = new Float32Array(4)
  embed(Uint32Array.of(2, 0), f32(1, 2, 3, 4, 5, 6), out)
  expect([...out]).toEqual([5, 6, 1, 2])
  take(f32(1, 2, 3, 4, 5, 6), Uint32Array.of(1, 1), 2, out)
  expect([...out]).toEqual([3, 4, 3, 4])
  const [a, b] = [new Float32Array(2), new Float32Array(4)]
  split(f32(1, 2, 3, 4, 5, 6), 2, [a, b])
  expect([[...a], [...b]]).toEqual([
    [1, 4],
    [2, 3, 5, 6],
  ])
})

test('rmsNorm by hand, per run of the weight', () => {
  const out = new Float32Array(4)
  rmsNorm(f32(3, 4, 0, 2), f32(1, 10), 0, out)
  const [a, b] = [Math.sqrt(12.5), Math.SQRT2]
  expect(out[0]).toBeCloseTo(3 / a, 6)
  expect(out[1]).toBeCloseTo(40 / a, 5)
  expect(out[2]).toBe(0)
  expect(out[3]).toBeCloseTo(20 / b, 5)
  rmsNorm(f32(0, 0, 0, 0), f32(1, 1), 1e-5, out)
  expect([...out]).toEqual([0, 0, 0, 0])
})

test('rope turns pairs (i, i + F) of every head by position times frequency and leaves the rest', () => {
  const out = new Float32Array(10)
  // Two tokens of one head of 5 values; 2 pairs are rotated, the fifth value is not.
  rope(f32(1, 1, 0, 0, 7, 1, 1, 0, 0, 7), f32(Math.PI / 2, 0), 5, 1, 1, 2, out)
  const wanted = [0, 1, 1, 0, 7, -1, 1, 0, 0, 7]
  wanted.forEach((v, i) => {
    expect(out[i]).toBeCloseTo(v, 6)
  })
})

test('activations', () => {
  const out = new Float32Array(3)
  gate(f32(0, 2, -30), f32(1, 3, 1), 'silu', out)
  expect(out[1]).toBeCloseTo(6 / (1 + Math.exp(-2)), 6)
  expect(Math.abs(out[2])).toBeLessThan(1e-10)
  gate(f32(1, -1, 0), f32(1, 1, 1), 'gelu', out)
  expect(out[0]).toBeCloseTo(0.8413447460685429, 6)
  expect(out[1]).toBeCloseTo(-0.15865525393145707, 6)
  gate(f32(1, 0, 0), f32(1, 1, 1), 'geluTanh', out)
  expect(out[0]).toBeCloseTo(0.8411919906082768, 6)
})

test('erf against published values (Abramowitz and Stegun, table 7.1)', () => {
  for (const [x, y] of [
    [0, 0],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [2, 0.995322265],
    [3, 0.9999779095],
    [3.5, 0.999999256901628],
    [7, 1],
  ]) {
    expect(erf(x)).toBeCloseTo(y, 9)
    expect(erf(-x)).toBeCloseTo(-y, 9)
  }
})

test('crossEntropy is the negative log of the softmax, also for large logits', () => {
  const out = new Float32Array(2)
  crossEntropy(f32(1000, 1000, 0, Math.log(3)), Uint32Array.of(0, 1), out)
  expect(out[0]).toBeCloseTo(Math.log(2), 6)
  expect(out[1]).toBeCloseTo(Math.log(4 / 3), 6)
})

test('linear: products of rows, bias, any length', () => {
  const y = new Float32Array(2)
  matVec(f32(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), f32(1, 0, 0, 0, 2), 0, 5, y, 0, 2)
  expect([...y]).toEqual([11, 26])
  const weight = { dtype: 'f32' as const, shape: [2, 1], data: f32(2, 3) }
  const bias = { dtype: 'f32' as const, shape: [2], data: f32(10, 20) }
  const out = new Float32Array(4)
  linear(createDenseWeights(), weight, bias, f32(1, -1), undefined, out, 2)
  expect([...out]).toEqual([12, 23, 8, 17])
})

test('attention is causal, grouped and windowed', () => {
  const op = {
    kind: 'attention',
    q: 'q',
    k: 'k',
    v: 'v',
    layer: 0,
    heads: 2,
    kvHeads: 1,
    headDim: 1,
    scale: 1,
    out: 'o',
  } as const
  const cache = { keys: new Float32Array(3), values: new Float32Array(3) }
  const out = new Float32Array(6)
  // Head 0 has q = 0: the mean of the values so far; head 1 has q = 100: the value of the largest key so far.
  const q = f32(0, 100, 0, 100, 0, 100)
  attention(op, q, f32(3, 1, 2), f32(10, 20, 60), cache, 0, 3, out)
  const wanted = [10, 10, 15, 10, 30, 10]
  wanted.forEach((v, i) => {
    expect(out[i]).toBeCloseTo(v, 5)
  })
  attention({ ...op, window: 2 }, q, f32(3, 1, 2), f32(10, 20, 60), cache, 0, 3, out)
  expect(out[4]).toBeCloseTo(40, 5)
  expect(out[5]).toBeCloseTo(60, 5)
})
