import { createRandom } from '../../random.js'
import { type OperatorCase, operatorCase } from '../case-builder.js'
import { randomTensor } from '../random-weights.js'
import { f32Tolerance, sumTolerance } from '../tolerance.js'
import { klDivergenceCases } from './kl-divergence.js'
import { largeGradientCases } from './large-gradient.js'
import { matrixGradientCases } from './matrix-gradient.js'
import { tableGradientCases } from './table-gradient.js'

/** The operators of gradient programs. */
export function gradientCases(): OperatorCase[] {
  return [
    ...elementwiseCases(),
    ...klDivergenceCases(),
    ...attentionCases(),
    ...matrixGradientCases(),
    ...tableGradientCases(),
    ...largeGradientCases(),
  ]
}

function elementwiseCases(): OperatorCase[] {
  const random = createRandom(11)
  const x = (T: number, width: number) => randomTensor(random, [T, width])
  const cases: OperatorCase[] = []

  for (const [T, width, D, eps] of [
    [1, 288, 288, 1e-5],
    [3, 4096, 4096, 1e-6],
    [5, 96, 32, 1e-5],
    [2, 7, 7, 1e-5],
  ]) {
    cases.push(
      operatorCase(`rmsNormGradient ${T}x${width} over ${D}`, {
        inputs: { x: x(T, width), dy: x(T, width) },
        outs: { dx: { width } },
        weights: { weight: randomTensor(random, [D]) },
        operators: [{ kind: 'rmsNormGradient', x: 'x', dy: 'dy', weight: 'weight', eps, out: 'dx' }],
        // The scale is off by as much as in rmsNorm, and is cubed; a dot product of D terms; a handful of products.
        tolerance: f32Tolerance((3 * Math.sqrt(D)) / 2 + Math.sqrt(D / 2) + 8),
      }),
    )
  }

  for (const [T, heads, headDim, F, position, scale] of [
    [4, 2, 64, 32, 1000, 1],
    [3, 4, 96, 36, 17, 1.19],
  ]) {
    const frequencies = Float32Array.from({ length: F }, (_, i) => 10_000 ** (-i / F))
    cases.push(
      operatorCase(`rope transposed ${T}x${heads}x${headDim} F=${F} at ${position}`, {
        inputs: { x: x(T, heads * headDim) },
        outs: { y: { width: heads * headDim } },
        weights: { frequencies: { dtype: 'f32', shape: [F], data: frequencies } },
        operators: [{ kind: 'rope', x: 'x', frequencies: 'frequencies', headDim, scale, transposed: true, out: 'y' }],
        steps: [{ position }],
        capacity: position + T,
        // As of rope.
        tolerance: f32Tolerance(4),
      }),
    )
  }

  for (const activation of ['silu', 'gelu', 'geluTanh'] as const) {
    cases.push(
      operatorCase(`gateGradient ${activation}`, {
        inputs: { gate: randomTensor(random, [3, 173], 3), up: x(3, 173), dy: x(3, 173) },
        outs: { dUp: { width: 173 }, dGate: { width: 173 } },
        operators: [{ kind: 'gateGradient', gate: 'gate', up: 'up', dy: 'dy', activation, dGate: 'dGate', dUp: 'dUp' }],
        steps: [{ outputs: ['dGate', 'dUp'] }],
        // As of gate, and a derivative whose two terms partly cancel.
        tolerance: f32Tolerance(32),
      }),
    )
  }

  const certain = x(1, 1000)
  cases.push(
    operatorCase('concat', {
      inputs: { a: x(3, 16), b: x(3, 4), c: x(3, 40) },
      outs: { y: { width: 60 } },
      operators: [{ kind: 'concat', xs: ['a', 'b', 'c'], out: 'y' }],
      tolerance: f32Tolerance(0),
    }),
    operatorCase('concat of one', {
      inputs: { a: x(3, 16) },
      outs: { y: { width: 16 } },
      operators: [{ kind: 'concat', xs: ['a'], out: 'y' }],
      tolerance: f32Tolerance(0),
    }),
    operatorCase('put', {
      inputs: { x: x(5, 33) },
      outs: { taken: { width: 33, rows: 'R' }, y: { width: 33 } },
      operators: [
        { kind: 'take', x: 'x', rows: 'rows', out: 'taken' },
        { kind: 'put', x: 'taken', rows: 'rows', out: 'y' },
      ],
      steps: [{ rows: Uint32Array.of(4, 0, 4) }, {}, { rows: new Uint32Array(0) }],
      tolerance: f32Tolerance(1),
    }),
    operatorCase('crossEntropyGradient', {
      inputs: { x: randomTensor(random, [4, 1000], 5) },
      outs: { logits: { width: 1000, rows: 'R' }, y: { width: 1000, rows: 'R' } },
      operators: [
        { kind: 'take', x: 'x', rows: 'rows', out: 'logits' },
        { kind: 'crossEntropyGradient', logits: 'logits', targets: 'targets', scale: 0.5, out: 'y' },
      ],
      steps: [
        { rows: Uint32Array.of(1, 3), targets: Uint32Array.of(999, 0) },
        { rows: new Uint32Array(0), targets: new Uint32Array(0) },
      ],
      // Logits differ from the largest by up to 32, with half an ulp of that as the relative error of the exponential.
      tolerance: f32Tolerance(sumTolerance(1000) / 2 ** -24 + 32),
    }),
    // What is left of 1 after the target's probability is 1e-6 and all that there is.
    operatorCase('crossEntropyGradient of a target that is almost certain', {
      inputs: { x: { ...certain, data: certain.data.map((v, i) => (i === 7 ? 20 : v)) } },
      outs: { logits: { width: 1000, rows: 'R' }, y: { width: 1000, rows: 'R' } },
      operators: [
        { kind: 'take', x: 'x', rows: 'rows', out: 'logits' },
        { kind: 'crossEntropyGradient', logits: 'logits', targets: 'targets', scale: 0.5, out: 'y' },
      ],
      steps: [{ targets: Uint32Array.of(7) }],
      tolerance: f32Tolerance(sumTolerance(1000) / 2 ** -24 + 32),
    }),
  )
  return cases
}

function attentionCases(): OperatorCase[] {
  const random = createRandom(12)
  const shapes = [
    { heads: 6, kvHeads: 6, headDim: 48, T: 5 },
    { heads: 8, kvHeads: 4, headDim: 8, T: 33 },
    { heads: 4, kvHeads: 1, headDim: 64, T: 17 },
    { heads: 4, kvHeads: 2, headDim: 80, T: 20, window: 9 },
    { heads: 2, kvHeads: 2, headDim: 5, T: 3 },
    { heads: 2, kvHeads: 1, headDim: 32, T: 200 },
    { heads: 6, kvHeads: 2, headDim: 24, T: 210, window: 150 },
    { heads: 1, kvHeads: 1, headDim: 16, T: 1 },
    { heads: 3, kvHeads: 1, headDim: 128, T: 40, window: 1 },
  ]
  return shapes.map(({ T, ...shape }) => {
    const { heads, kvHeads, headDim } = shape
    const [Q, KV] = [heads * headDim, kvHeads * headDim]
    const window = shape.window === undefined ? '' : ` window=${shape.window}`
    return operatorCase(`attentionGradient H=${heads} Hkv=${kvHeads} d=${headDim} T=${T}${window}`, {
      inputs: {
        q: randomTensor(random, [T, Q]),
        k: randomTensor(random, [T, KV]),
        v: randomTensor(random, [T, KV]),
        dy: randomTensor(random, [T, Q]),
      },
      outs: { dq: { width: Q }, dk: { width: KV }, dv: { width: KV } },
      operators: [
        {
          kind: 'attentionGradient',
          q: 'q',
          k: 'k',
          v: 'v',
          dy: 'dy',
          ...shape,
          scale: 1 / Math.sqrt(headDim),
          dq: 'dq',
          dk: 'dk',
          dv: 'dv',
        },
      ],
      steps: [{ outputs: ['dq', 'dk', 'dv'] }],
      // Weights are off as in attention, and so are their gradients, sums of headDim terms, from whose mean only the
      // difference counts: twice. Then sums over the positions, or over the tokens and query heads that see a position.
      tolerance: f32Tolerance(2 * 9 * Math.sqrt(headDim / 2) + Math.sqrt((T * heads) / kvHeads / 2) + 16),
    })
  })
}
