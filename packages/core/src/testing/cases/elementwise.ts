import { createRandom } from '../../random.js'
import type { FloatTensor } from '../../tensor.js'
import { type OperatorCase, operatorCase } from '../case-builder.js'
import { castTensor, randomTensor } from '../random-weights.js'
import { f32Tolerance, sumTolerance } from '../tolerance.js'

/** embed, rmsNorm, rope, gate, add, split, take, crossEntropy. */
export function elementwiseCases(): OperatorCase[] {
  const random = createRandom(1)
  const x = (T: number, width: number) => randomTensor(random, [T, width])
  const cases: OperatorCase[] = []

  for (const dtype of ['f32', 'f16', 'bf16'] as const) {
    cases.push(
      operatorCase(`embed ${dtype}`, {
        inputs: {},
        outs: { y: { width: 48 } },
        weights: { table: castTensor(x(11, 48), dtype) as FloatTensor },
        operators: [{ kind: 'embed', tokens: 'tokens', table: 'table', out: 'y' }],
        steps: [{ tokens: Uint32Array.of(3, 10, 0, 3) }],
        // Widening is exact.
        tolerance: f32Tolerance(0),
      }),
    )
  }

  for (const [T, width, D, eps] of [
    [1, 288, 288, 1e-5],
    [3, 4096, 4096, 1e-6],
    [5, 96, 32, 1e-5],
    [2, 7, 7, 1e-5],
  ]) {
    cases.push(
      operatorCase(`rmsNorm ${T}x${width} over ${D}`, {
        inputs: { x: x(T, width) },
        outs: { y: { width } },
        weights: { weight: randomTensor(random, [D]) },
        operators: [{ kind: 'rmsNorm', x: 'x', weight: 'weight', eps, out: 'y' }],
        // A sum of squares has no cancellation: at most D roundings of half an ulp in the worst order, halved by the root; then three products.
        tolerance: f32Tolerance(Math.sqrt(D) / 2 + 4),
      }),
    )
  }

  for (const [T, heads, headDim, F, position, scale] of [
    [1, 6, 48, 24, 0, 1],
    [4, 2, 64, 32, 1000, 1],
    [3, 4, 96, 36, 17, 1.19],
    [2, 8, 8, 4, 100_000, 1],
  ]) {
    const frequencies = Float32Array.from({ length: F }, (_, i) => 10_000 ** (-i / F))
    cases.push(
      operatorCase(`rope ${T}x${heads}x${headDim} F=${F} at ${position}`, {
        inputs: { x: x(T, heads * headDim) },
        outs: { y: { width: heads * headDim } },
        weights: { frequencies: { dtype: 'f32', shape: [F], data: frequencies } },
        operators: [{ kind: 'rope', x: 'x', frequencies: 'frequencies', headDim, scale, out: 'y' }],
        steps: [{ position }],
        capacity: position + T,
        // Sine and cosine rounded to f32, two products, one sum.
        tolerance: f32Tolerance(4),
      }),
    )
  }

  for (const activation of ['silu', 'gelu', 'geluTanh'] as const) {
    cases.push(
      operatorCase(`gate ${activation}`, {
        inputs: { gate: randomTensor(random, [3, 173], 3), up: x(3, 173) },
        outs: { y: { width: 173 } },
        operators: [{ kind: 'gate', gate: 'gate', up: 'up', activation, out: 'y' }],
        // exp, tanh and erf to 4 ulp, and a handful of products.
        tolerance: f32Tolerance(16),
      }),
    )
  }

  cases.push(
    operatorCase('add', {
      inputs: { a: x(3, 65), b: x(3, 65) },
      outs: { y: { width: 65 } },
      operators: [{ kind: 'add', a: 'a', b: 'b', out: 'y' }],
      tolerance: f32Tolerance(1),
    }),
    operatorCase('split', {
      inputs: { x: x(3, 60) },
      outs: { a: { width: 16 }, b: { width: 4 }, c: { width: 40 }, y: { width: 16 } },
      operators: [
        { kind: 'split', x: 'x', outs: ['a', 'b', 'c'] },
        { kind: 'add', a: 'a', b: 'a', out: 'y' },
      ],
      steps: [{ outputs: ['a', 'b', 'c', 'y'] }],
      tolerance: f32Tolerance(0),
    }),
    operatorCase('take', {
      inputs: { x: x(5, 33) },
      outs: { y: { width: 33, rows: 'R' } },
      operators: [{ kind: 'take', x: 'x', rows: 'rows', out: 'y' }],
      steps: [{ rows: Uint32Array.of(4, 0, 4) }, {}, { rows: new Uint32Array(0) }],
      tolerance: f32Tolerance(0),
    }),
    operatorCase('crossEntropy', {
      inputs: { x: randomTensor(random, [4, 1000], 5) },
      outs: { logits: { width: 1000, rows: 'R' }, y: { width: 1, rows: 'R' } },
      operators: [
        { kind: 'take', x: 'x', rows: 'rows', out: 'logits' },
        { kind: 'crossEntropy', logits: 'logits', targets: 'targets', out: 'y' },
      ],
      steps: [{ rows: Uint32Array.of(1, 3), targets: Uint32Array.of(999, 0) }],
      tolerance: f32Tolerance(sumTolerance(1000) / 2 ** -24 + 8),
    }),
  )
  return cases
}
