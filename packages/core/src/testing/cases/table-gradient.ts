import { staticPolicy, THRESHOLDS } from '../../backend/policy.js'
import { tableEntries } from '../../bit-planes/weight.js'
import { createRandom } from '../../random.js'
import { type CaseParts, type OperatorCase, operatorCase } from '../case-builder.js'
import { randomBitPlanes, randomTensor } from '../random-weights.js'
import { f32Tolerance, sumTolerance } from '../tolerance.js'

/** Shapes [N, K] and bit counts: whole words of planes, tails, fewer rows than threads, one bit count. */
const shapes: [N: number, K: number, seedBits: number, maxBits: number][] = [
  [64, 512, 3, 8],
  [172, 64, 3, 6],
  [33, 1056, 4, 5],
  [1, 32, 3, 8],
  [5, 7, 3, 8],
  [48, 45, 3, 4],
  [3, 100, 4, 4],
]

/** The gradient with respect to tables' entries. */
export function tableGradientCases(): OperatorCase[] {
  const random = createRandom(16)
  const cases: OperatorCase[] = []
  for (const [N, K, seedBits, maxBits] of shapes) {
    const w = randomBitPlanes(N * 41 + K, N, K, seedBits, maxBits)
    const part = (T: number, steps: number): CaseParts => ({
      inputs: { x: randomTensor(random, [T, K]), dy: randomTensor(random, [T, N]) },
      outs: {},
      weights: { w },
      operators: [{ kind: 'accumulateTables', x: 'x', dy: 'dy', weight: 'w', into: 'tables' }],
      accumulators: [{ name: 'tables', shape: [N, tableEntries(w)] }],
      // An entry sums at most the products of all tokens and columns; one addition for each step.
      tolerance: f32Tolerance(sumTolerance(T * K) / 2 ** -24 + steps),
    })
    const shape = `${N}x${K} ${seedBits}-${maxBits} bits`
    cases.push(operatorCase(`accumulateTables ${shape}`, part(7, 1)))

    // One step at each bit count, and one at the most bits.
    const counts = Array.from({ length: maxBits - seedBits + 1 }, (_, i) => seedBits + i)
    const steps = [...counts.map((bits) => ({ policy: staticPolicy([bits]), outputs: [] })), { outputs: [] }]
    const selected: Pick<CaseParts, 'outs' | 'operators'> = {
      outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 } },
      operators: [
        { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
        { kind: 'accumulateTables', x: 'x', dy: 'dy', weight: 'w', bits: 'bits', into: 'tables' },
      ],
    }
    cases.push(operatorCase(`accumulateTables ${shape}, bits of each step`, { ...part(3, steps.length), ...selected, steps }))

    // The projection of a token is its first value, which counts the thresholds that it is above: all bit counts in a step.
    const T = 17
    const parts = part(T, 1)
    for (let t = 0; t < T; t++) parts.inputs.x.data[t * K] = (5 * t) % (THRESHOLDS + 1)
    const first = { dtype: 'f32' as const, shape: [1, K], data: new Float32Array(K).fill(1, 0, 1) }
    const thresholds = Float32Array.from({ length: THRESHOLDS }, (_, j) => j + 0.5)
    const policy = { estimators: [{ kind: 'projection' as const, matrix: first }], thresholds }
    cases.push(
      operatorCase(`accumulateTables ${shape}, bits of each token`, { ...parts, ...selected, steps: [{ policy, outputs: [] }] }),
    )
  }
  return cases
}
