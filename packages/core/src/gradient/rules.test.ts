import { describe, expect, test } from 'vitest'
import { expectGradients, type GradientCase } from '../../test/gradient-case.js'
import { pairThresholds } from '../backend/policy.js'
import type { Activation, Attention } from '../program/operators.js'
import { createRandom } from '../random.js'
import { castTensor, randomBitPlanes, randomTensor } from '../testing/index.js'
import { gradientRules } from './rules.js'

const random = createRandom(7)
const weight = (...shape: number[]) => randomTensor(random, shape)

describe('rmsNorm', () => {
  test.each([
    ['per token', 12],
    ['per head', 4],
  ])('%s', async (_, length) => {
    await expectGradients({
      inputs: { x: ['T', 12] },
      outs: { y: ['T', 12] },
      operators: [{ kind: 'rmsNorm', x: 'x', weight: 'w', eps: 0.02, out: 'y' }],
      weights: { w: weight(length) },
    })
  })
})

describe('linear', () => {
  const linear = { kind: 'linear', x: 'x', weight: 'w', out: 'y' } as const
  const shapes: GradientCase = { inputs: { x: ['T', 7] }, outs: { y: ['T', 6] }, operators: [linear] }

  test.each(['f32', 'f16', 'bf16'] as const)('%s, with a bias', async (dtype) => {
    await expectGradients({
      ...shapes,
      operators: [{ ...linear, bias: 'b' }],
      weights: { w: castTensor(weight(6, 7), dtype), b: weight(6) },
    })
  })

  test('bit-planes, at the most bits', async () => {
    await expectGradients({ ...shapes, weights: { w: randomBitPlanes(1, 6, 7, 3, 5) } })
  })

  test('bit-planes, at the bits of each token', async () => {
    const c: GradientCase = {
      ...shapes,
      values: { bits: { dtype: 'u8', shape: ['T'] }, e: { dtype: 'f32', shape: ['T'] } },
      operators: [
        { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
        { ...linear, bits: 'bits' },
      ],
      weights: { w: randomBitPlanes(1, 6, 7) },
    }
    for (const threshold of [0, 0.1, Number.POSITIVE_INFINITY]) {
      const policy = { estimators: [{ kind: 'exact', low: 3, high: 6 } as const], thresholds: pairThresholds(3, 6, threshold) }
      await expectGradients({ ...c, step: { policy } })
    }
  })

  test('of the rows that go on', async () => {
    await expectGradients({
      inputs: { x: ['R', 7] },
      outs: { y: ['R', 6] },
      operators: [linear],
      weights: { w: weight(6, 7) },
      step: { rows: Uint32Array.of(4, 0, 1) },
    })
  })
})

describe('mixedLinear', () => {
  const c: GradientCase = {
    inputs: { x: ['T', 7], p: [1] },
    outs: { y: ['T', 6] },
    operators: [{ kind: 'mixedLinear', x: 'x', weight: 'w', bias: 'b', averageBits: 'p', out: 'y' }],
    weights: { w: randomBitPlanes(2, 6, 7, 3, 6), b: weight(6) },
  }

  test.each([3.25, 4.9, 5.5])('x and p = %s', async (p) => {
    await expectGradients({ ...c, at: { p: [p] } })
  })
})

describe('rope', () => {
  test.each([
    { F: 3, scale: 1 },
    { F: 3, scale: 1.19 },
    { F: 2, scale: 1.19 },
    { F: 2, scale: 0.8, transposed: true as const },
  ])('%o', async ({ F, ...attributes }) => {
    await expectGradients({
      inputs: { x: ['T', 12] },
      outs: { y: ['T', 12] },
      operators: [{ kind: 'rope', x: 'x', frequencies: 'f', headDim: 6, ...attributes, out: 'y' }],
      weights: { f: weight(F) },
    })
  })
})

describe('attention', () => {
  test.each([
    { heads: 2, kvHeads: 2 },
    { heads: 4, kvHeads: 2 },
    { heads: 3, kvHeads: 1 },
    { heads: 4, kvHeads: 2, window: 2 },
    { heads: 2, kvHeads: 2, window: 4 },
  ])('%o', async (shape) => {
    const headDim = 3
    const attention: Attention = { kind: 'attention', q: 'q', k: 'k', v: 'v', layer: 0, headDim, scale: 0.7, ...shape, out: 'y' }
    const [Q, KV] = [shape.heads * headDim, shape.kvHeads * headDim]
    await expectGradients({
      inputs: { q: ['T', Q], k: ['T', KV], v: ['T', KV] },
      outs: { y: ['T', Q] },
      operators: [attention],
      caches: [{ width: KV }],
    })
  })
})

describe('gate', () => {
  test.each(['silu', 'gelu', 'geluTanh'] satisfies Activation[])('%s', async (activation) => {
    await expectGradients({
      inputs: { gate: ['T', 40], up: ['T', 40] },
      outs: { y: ['T', 40] },
      operators: [{ kind: 'gate', gate: 'gate', up: 'up', activation, out: 'y' }],
    })
  })
})

describe('add', () => {
  test('two values', async () => {
    await expectGradients({
      inputs: { a: ['T', 3], b: ['T', 3] },
      outs: { y: ['T', 3] },
      operators: [{ kind: 'add', a: 'a', b: 'b', out: 'y' }],
    })
  })

  test('a value to itself', async () => {
    await expectGradients({
      inputs: { x: ['T', 3] },
      outs: { y: ['T', 3] },
      operators: [{ kind: 'add', a: 'x', b: 'x', out: 'y' }],
    })
  })
})

test('split', async () => {
  await expectGradients({
    inputs: { x: ['T', 9] },
    outs: { a: ['T', 4], b: ['T', 2], c: ['T', 3] },
    operators: [{ kind: 'split', x: 'x', outs: ['a', 'b', 'c'] }],
  })
})

test('take, one row twice', async () => {
  await expectGradients({
    inputs: { x: ['T', 4] },
    outs: { y: ['R', 4] },
    operators: [{ kind: 'take', x: 'x', rows: 'rows', out: 'y' }],
    step: { rows: Uint32Array.of(3, 0, 3) },
  })
})

test('a value that several operators read has the sum of their gradients', async () => {
  await expectGradients({
    inputs: { x: ['T', 4] },
    outs: { y: ['T', 4], z: ['T', 6] },
    values: Object.fromEntries(['norm', 'sum', 'gated'].map((name) => [name, { dtype: 'f32', shape: ['T', 4] }])),
    operators: [
      { kind: 'rmsNorm', x: 'x', weight: 'n', eps: 1e-5, out: 'norm' },
      { kind: 'add', a: 'x', b: 'norm', out: 'sum' },
      { kind: 'gate', gate: 'x', up: 'sum', activation: 'silu', out: 'gated' },
      { kind: 'add', a: 'gated', b: 'x', out: 'y' },
      { kind: 'linear', x: 'sum', weight: 'w', out: 'z' },
    ],
    weights: { n: weight(4), w: weight(6, 4) },
  })
})

test('every operator of a model has a rule', () => {
  const tested = 'embed rmsNorm linear mixedLinear select rope attention gate add split take crossEntropy klDivergence'
  expect(Object.keys(gradientRules).sort()).toEqual(tested.split(' ').sort())
})
