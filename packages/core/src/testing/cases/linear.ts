import { staticPolicy } from '../../backend/policy.js'
import { createRandom } from '../../random.js'
import { type OperatorCase, operatorCase } from '../case-builder.js'
import { castTensor, randomBitPlanes, randomTensor } from '../random-weights.js'
import { bitPlaneTolerance, f32Tolerance, sumTolerance } from '../tolerance.js'

/** Shapes [N, K]: whole kernel blocks, tails of every kind, fewer rows than threads. */
const shapes: [N: number, K: number][] = [
  [64, 512],
  [172, 64],
  [64, 172],
  [288, 288],
  [96, 768],
  [33, 1056],
  [1, 32],
  [5, 7],
  [40, 5632],
]

/** Dense and bit-plane products for one token, a few, and many. */
export function linearCases(): OperatorCase[] {
  const random = createRandom(3)
  const cases: OperatorCase[] = []

  for (const dtype of ['f32', 'f16', 'bf16'] as const) {
    for (const [N, K] of shapes) {
      for (const T of [1, 3, 19]) {
        cases.push(
          operatorCase(`linear ${dtype} ${N}x${K} T=${T}${T === 3 ? ' bias' : ''}`, {
            inputs: { x: randomTensor(random, [T, K]) },
            outs: { y: { width: N } },
            weights: { w: castTensor(randomTensor(random, [N, K]), dtype), b: randomTensor(random, [N]) },
            operators: [{ kind: 'linear', x: 'x', weight: 'w', ...(T === 3 ? { bias: 'b' } : {}), out: 'y' }],
            tolerance: f32Tolerance(sumTolerance(K) / 2 ** -24 + 1),
          }),
        )
      }
    }
  }

  for (const [N, K] of shapes) {
    for (let bits = 3; bits <= 8; bits++) {
      for (const T of bits === 4 || K === 288 ? [1, 2, 5, 19] : [1, 19]) {
        const weight = randomBitPlanes(N * 31 + K, N, K, 3, 8)
        const x = randomTensor(random, [T, K])
        cases.push(
          operatorCase(`linear ${bits} bits ${N}x${K} T=${T}${T === 2 ? ' bias' : ''}`, {
            inputs: { x },
            outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: N } },
            weights: { w: weight, b: randomTensor(random, [N], 0.1) },
            operators: [
              { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
              { kind: 'linear', x: 'x', weight: 'w', ...(T === 2 ? { bias: 'b' } : {}), bits: 'bits', out: 'y' },
            ],
            steps: [{ policy: staticPolicy([bits]) }],
            tolerance: bitPlaneTolerance(weight, bits, x.data),
          }),
        )
      }
    }
  }

  // Around the numbers of rows where kernels change: few rows, one tile of tokens, more than are multiplied at once.
  for (const [N, K] of [
    [5, 7],
    [33, 172],
    [47, 1056],
  ]) {
    for (const T of [4, 5, 7, 8, 9, 16, 17, 33, 130]) {
      const bits = 3 + (T % 6)
      const weight = randomBitPlanes(N + T, N, K, 3, 8)
      const x = randomTensor(random, [T, K])
      cases.push(
        operatorCase(`linear rows ${N}x${K} ${bits} bits T=${T}`, {
          inputs: { x },
          outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: N } },
          weights: { w: weight, b: randomTensor(random, [N], 0.1) },
          operators: [
            { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
            { kind: 'linear', x: 'x', weight: 'w', bias: 'b', bits: 'bits', out: 'y' },
          ],
          steps: [{ policy: staticPolicy([bits]) }],
          tolerance: bitPlaneTolerance(weight, bits, x.data),
        }),
      )
    }
  }

  // No bits given: the most that are loaded, here 5 of a weight whose seed has 3, and a weight of one bit count.
  for (const [seedBits, maxBits] of [
    [3, 5],
    [8, 8],
    [4, 6],
    [1, 1],
    [1, 2],
  ]) {
    const weight = randomBitPlanes(seedBits, 48, 320, seedBits, maxBits)
    const x = randomTensor(random, [2, 320])
    cases.push(
      operatorCase(`linear most of ${seedBits}..${maxBits} bits`, {
        inputs: { x },
        outs: { y: { width: 48 } },
        weights: { w: weight },
        operators: [{ kind: 'linear', x: 'x', weight: 'w', out: 'y' }],
        tolerance: bitPlaneTolerance(weight, maxBits, x.data),
      }),
    )
  }

  // The head: only some rows go on, at a fixed bit count, or dense; and none at all.
  for (const kind of ['bits', 'bf16'] as const) {
    const weight = randomBitPlanes(77, 96, 160, 6, 6)
    const x = randomTensor(random, [9, 160])
    const w = kind === 'bits' ? weight : castTensor(randomTensor(random, [96, 160]), kind)
    cases.push(
      operatorCase(`linear head ${kind}`, {
        inputs: { x },
        outs: { last: { width: 160, rows: 'R' }, y: { width: 96, rows: 'R' } },
        weights: { w },
        operators: [
          { kind: 'take', x: 'x', rows: 'rows', out: 'last' },
          { kind: 'linear', x: 'last', weight: 'w', out: 'y' },
        ],
        steps: [{}, { rows: Uint32Array.of(8, 0, 3, 3, 7) }, { rows: new Uint32Array(0) }],
        tolerance: kind === 'bits' ? bitPlaneTolerance(weight, 6, x.data) : f32Tolerance(sumTolerance(160) / 2 ** -24 + 1),
      }),
    )
  }
  return cases
}
