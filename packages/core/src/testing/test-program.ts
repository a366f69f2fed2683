import type { Operator } from '../program/operators.js'
import type { Program, ValueInfo } from '../program/program.js'
import type { Weight, Weights } from '../program/weights.js'
import { createRandom } from '../random.js'
import { randomBitPlanes, randomTensor } from './random-weights.js'

/** A one-layer decoder, for tests of what surrounds the operators. */
export function testProgram(width = 64, vocabulary = 50): { program: Program; weights: Weights } {
  const random = createRandom(9)
  const kvWidth = width / 2
  const values: Record<string, ValueInfo> = {
    tokens: { dtype: 'u32', shape: ['T'] },
    rows: { dtype: 'u32', shape: ['R'] },
    targets: { dtype: 'u32', shape: ['R'] },
    bits: { dtype: 'u8', shape: ['T'] },
    estimate: { dtype: 'f32', shape: ['T'] },
    loss: { dtype: 'f32', shape: ['R'] },
    last: { dtype: 'f32', shape: ['R', width] },
    logits: { dtype: 'f32', shape: ['R', vocabulary] },
  }
  for (const name of ['x', 'norm', 'q', 'qr', 'attended', 'out', 'sum']) values[name] = { dtype: 'f32', shape: ['T', width] }
  for (const name of ['k', 'kr', 'v']) values[name] = { dtype: 'f32', shape: ['T', kvWidth] }
  const weights = new Map<string, Weight>([
    ['embedding', randomTensor(random, [vocabulary, width])],
    ['norm.weight', randomTensor(random, [width])],
    ['frequencies', randomTensor(random, [8])],
    ['wq', randomBitPlanes(1, width, width)],
    ['wk', randomTensor(random, [kvWidth, width])],
    ['wv', randomTensor(random, [kvWidth, width])],
    ['head', randomTensor(random, [vocabulary, width])],
  ])
  const operators: Operator[] = [
    { kind: 'embed', tokens: 'tokens', table: 'embedding', out: 'x' },
    { kind: 'rmsNorm', x: 'x', weight: 'norm.weight', eps: 1e-5, out: 'norm' },
    { kind: 'select', x: 'norm', weight: 'wq', bits: 'bits', estimate: 'estimate' },
    { kind: 'linear', x: 'norm', weight: 'wq', bits: 'bits', out: 'q' },
    { kind: 'linear', x: 'norm', weight: 'wk', out: 'k' },
    { kind: 'linear', x: 'norm', weight: 'wv', out: 'v' },
    { kind: 'rope', x: 'q', frequencies: 'frequencies', headDim: 16, scale: 1, out: 'qr' },
    { kind: 'rope', x: 'k', frequencies: 'frequencies', headDim: 16, scale: 1, out: 'kr' },
    {
      kind: 'attention',
      q: 'qr',
      k: 'kr',
      v: 'v',
      layer: 0,
      heads: width / 16,
      kvHeads: kvWidth / 16,
      headDim: 16,
      scale: 0.25,
      out: 'attended',
    },
    { kind: 'add', a: 'x', b: 'attended', out: 'sum' },
    { kind: 'take', x: 'sum', rows: 'rows', out: 'last' },
    { kind: 'linear', x: 'last', weight: 'head', out: 'logits' },
    { kind: 'crossEntropy', logits: 'logits', targets: 'targets', out: 'loss' },
  ]
  return { program: { values, operators, caches: [{ width: kvWidth }] }, weights }
}
