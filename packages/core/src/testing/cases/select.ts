import { type Estimator, pairThresholds } from '../../backend/policy.js'
import type { BitPlaneWeight } from '../../bit-planes/weight.js'
import { createRandom } from '../../random.js'
import { createDenseWeights } from '../../reference/linear.js'
import { estimate } from '../../reference/select.js'
import { type OperatorCase, operatorCase } from '../case-builder.js'
import { randomBitPlanes, randomTensor } from '../random-weights.js'
import { bitPlaneTolerance, largestTolerance } from '../tolerance.js'

/** Decisions that differ from token to token, with every estimator, and products whose rows then read different bits. */
export function selectCases(): OperatorCase[] {
  const random = createRandom(4)
  const cases: OperatorCase[] = []
  for (const [low, high] of [
    [3, 4],
    [4, 5],
    [3, 6],
    [7, 8],
  ]) {
    for (const T of [1, 6, 24]) {
      const [N, K] = [80, 288]
      const weight = randomBitPlanes(low * 10 + high, N, K)
      const x = randomTensor(random, [T, K])
      const estimators: Estimator[] = [
        { kind: 'exact', low, high },
        { kind: 'linear', slope: 0.11, intercept: -0.7 },
        { kind: 'projection', matrix: randomTensor(random, [64, K], 0.01) },
      ]
      for (const estimator of estimators) {
        const threshold = gapThreshold(weight, estimator, x.data, T)
        cases.push(
          operatorCase(`select ${estimator.kind} ${low}|${high} T=${T}`, {
            inputs: { x },
            outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: N } },
            weights: { w: weight },
            operators: [
              { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
              { kind: 'linear', x: 'x', weight: 'w', bits: 'bits', out: 'y' },
            ],
            steps: [
              { policy: { estimators: [estimator], thresholds: pairThresholds(low, high, threshold) } },
              // Without a policy: everything that is loaded.
              {},
            ],
            tolerance: largestTolerance([low, high, 8].map((bits) => bitPlaneTolerance(weight, bits, x.data))),
          }),
        )
      }
    }
  }

  // An estimate of 0 is above −1 and, as a NaN in either place counts as above, above NaN; it is not above 0.
  const weight = randomBitPlanes(5, 16, 64)
  const x = randomTensor(random, [2, 64])
  cases.push(
    operatorCase('select none at its thresholds', {
      inputs: { x },
      outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: 16 } },
      weights: { w: weight },
      operators: [
        { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
        { kind: 'linear', x: 'x', weight: 'w', bits: 'bits', out: 'y' },
      ],
      steps: [{ policy: { estimators: [{ kind: 'none' }], thresholds: Float32Array.of(0, -1, 0, Number.NaN, 0) } }],
      tolerance: bitPlaneTolerance(weight, 5, x.data),
    }),
  )
  return cases
}

/** The middle of the widest gap between the tokens' estimates, so that rounding cannot turn a decision. */
function gapThreshold(weight: BitPlaneWeight, estimator: Estimator, x: Float32Array, T: number): number {
  const dense = createDenseWeights()
  const K = weight.cols
  const estimates = Array.from({ length: T }, (_, t) => estimate(dense, weight, estimator, x.subarray(t * K, (t + 1) * K)))
  estimates.sort((a, b) => a - b)
  let widest = 0
  let middle = estimates[0] / 2
  for (let t = 1; t < T; t++) {
    const gap = estimates[t] - estimates[t - 1]
    if (gap > widest) {
      widest = gap
      middle = (estimates[t] + estimates[t - 1]) / 2
    }
  }
  return middle
}
