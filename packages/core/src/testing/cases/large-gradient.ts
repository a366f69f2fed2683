import { type Policy, pairThresholds } from '../../backend/policy.js'
import { tableEntries } from '../../bit-planes/weight.js'
import { createRandom } from '../../random.js'
import { type CaseParts, type OperatorCase, operatorCase } from '../case-builder.js'
import { castTensor, randomBitPlanes, randomTensor } from '../random-weights.js'
import { f32Tolerance, sumTolerance } from '../tolerance.js'

/** Shapes [T, N, K] beyond what kernels take at once: panels and runs of tokens, tiles of rows, tiles of columns. */
const shapes: [T: number, N: number, K: number][] = [
  [70, 101, 172],
  [33, 67, 1100],
  [530, 70, 37],
]

const roundings = (sum: number) => f32Tolerance(sum / 2 ** -24 + 1)

/** Products of gradients for many tokens, also where these read different bits. */
export function largeGradientCases(): OperatorCase[] {
  const random = createRandom(18)
  const cases: OperatorCase[] = []
  for (const [T, N, K] of shapes) {
    const shape = `${N}x${K} T=${T}`
    const inputs = { x: randomTensor(random, [T, K]), dy: randomTensor(random, [T, N]) }
    cases.push(
      operatorCase(`linearTransposed f16 ${shape}`, {
        inputs: { dy: inputs.dy },
        outs: { y: { width: K } },
        weights: { w: castTensor(randomTensor(random, [N, K]), 'f16') },
        operators: [{ kind: 'linearTransposed', dy: 'dy', weight: 'w', out: 'y' }],
        tolerance: roundings(sumTolerance(N)),
      }),
      // A second step adds to what is there.
      operatorCase(`accumulate ${shape}`, {
        inputs,
        outs: {},
        operators: [
          { kind: 'accumulate', x: 'x', dy: 'dy', mode: 'sum', into: 'sum' },
          { kind: 'accumulate', x: 'x', dy: 'dy', mode: 'squares', into: 'squares' },
        ],
        accumulators: ['sum', 'squares'].map((name) => ({ name, shape: [N, K] as const })),
        steps: [{}, {}],
        tolerance: f32Tolerance((2 * sumTolerance(T)) / 2 ** -24 + 3),
      }),
      bitsOfEachToken(
        `linearTransposed and accumulateTables ${shape}`,
        N,
        K,
        inputs,
        roundings(sumTolerance(T * Math.max(N, K))),
      ),
    )
  }

  const [T, N, K] = [40, 53, 600]
  const w = randomBitPlanes(19, N, K, 3, 6)
  cases.push(
    operatorCase(`mixedLinearTransposed ${N}x${K} T=${T}`, {
      inputs: { dy: randomTensor(random, [T, N]) },
      outs: { y: { width: K } },
      weights: { w },
      given: { p: { dtype: 'f32', shape: [1] } },
      operators: [{ kind: 'mixedLinearTransposed', dy: 'dy', weight: 'w', averageBits: 'p', out: 'y' }],
      steps: [3.5, 4, 5.125, 6].map((p) => ({ inputs: { p: Float32Array.of(p) } })),
      tolerance: roundings(sumTolerance(2 * N)),
    }),
  )
  return cases
}

/** Tokens read 3 and 5 bits in turn: the projection of a token is its first value. */
function bitsOfEachToken(
  name: string,
  N: number,
  K: number,
  inputs: CaseParts['inputs'],
  tolerance: CaseParts['tolerance'],
): OperatorCase {
  const w = randomBitPlanes(17 * N + K, N, K, 3, 5)
  const x = { ...inputs.x, data: inputs.x.data.slice() }
  for (let i = 0; i < x.data.length; i += K) x.data[i] = (i / K) % 3 === 0 ? 1 : 0
  const first = { dtype: 'f32' as const, shape: [1, K], data: new Float32Array(K).fill(1, 0, 1) }
  const policy: Policy = { estimators: [{ kind: 'projection', matrix: first }], thresholds: pairThresholds(3, 5, 0.5) }
  return operatorCase(name, {
    inputs: { x, dy: inputs.dy },
    outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: K } },
    weights: { w },
    operators: [
      { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
      { kind: 'linearTransposed', dy: 'dy', weight: 'w', bits: 'bits', out: 'y' },
      { kind: 'accumulateTables', x: 'x', dy: 'dy', weight: 'w', bits: 'bits', into: 'tables' },
    ],
    accumulators: [{ name: 'tables', shape: [N, tableEntries(w)] }],
    steps: [{ policy }],
    tolerance,
  })
}
