import { type Estimator, pairThresholds } from '../../backend/policy.js'
import type { BitPlaneWeight } from '../../bit-planes/weight.js'
import { createRandom } from '../../random.js'
import { createDenseWeights } from '../../reference/linear.js'
import { estimate } from '../../reference/select.js'
import { type CaseParts, type OperatorCase, operatorCase } from '../case-builder.js'
import { randomBitPlanes, randomTensor } from '../random-weights.js'
import { bitPlaneTolerance, f32Tolerance, largestTolerance, probeTolerance, sumTolerance, type Tolerance } from '../tolerance.js'

/**
 * Shapes of select operators that read another value than their linear [N, K] does, or the same: [D, N, K, T]. Whole vectors
 * and tails of every kind, less than a vector, one token, few, and more than are multiplied at once.
 */
const inputShapes: [D: number, N: number, K: number, T: number][] = [
  [288, 80, 288, 1],
  [288, 80, 288, 6],
  [288, 24, 768, 3],
  [768, 24, 96, 19],
  [97, 16, 64, 2],
  [61, 16, 64, 5],
  [7, 8, 40, 24],
  [1, 5, 32, 4],
  [2051, 8, 64, 4],
  [33, 8, 32, 600],
  [41, 33, 1056, 37],
]

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
  return [...cases, ...inputCases()]
}

/** Estimates from a value u [T, D], whatever the linear's own x [T, K] is: probes, norms and projections. */
function inputCases(): OperatorCase[] {
  const random = createRandom(5)
  return inputShapes.flatMap(([D, N, K, T]) => {
    const weight = randomBitPlanes(D * 31 + K, N, K, 3, 6)
    const u = randomTensor(random, [T, D])
    const x = randomTensor(random, [T, K])
    const probes = [0, -1.5].map((bias): Extract<Estimator, { kind: 'probe' }> => {
      return { kind: 'probe', weights: randomTensor(random, [D], 2 / Math.sqrt(D)), bias }
    })
    const matrix = randomTensor(random, [16, D], 0.1)
    // Norms do not cancel: an intercept of the sign of the slope adds to them.
    const others: [Estimator, Tolerance][] = [
      [{ kind: 'linear', slope: 0.3, intercept: 0.5 }, f32Tolerance(2)],
      [{ kind: 'projection', matrix }, f32Tolerance((sumTolerance(D) * (1 + 4 / Math.sqrt(T))) / 2 ** -24 + 1)],
    ]
    const estimators: [Estimator, Tolerance][] = [
      ...probes.map((probe): [Estimator, Tolerance] => [probe, probeTolerance(probe.weights.data, probe.bias, u.data)]),
      ...(D === K ? [] : others),
    ]
    const products = largestTolerance([3, 4, 6].map((bits) => bitPlaneTolerance(weight, bits, x.data)))
    return estimators.flatMap(([estimator, tolerance]) => {
      const bias = estimator.kind === 'probe' && estimator.bias !== 0 ? ' bias' : ''
      const name = `select ${estimator.kind}${bias} D=${D} of linear ${N}x${K} T=${T}`
      // 3 bits, 4 or 6, as a table of errors without its point at 5 decides.
      const [first, second] = [0.4, 0.7].map((part) => gapNear(weight, estimator, u.data, T, part))
      const infinite = Number.POSITIVE_INFINITY
      const thresholds = Float32Array.of(first, second, second, infinite, infinite)
      const parts: Omit<CaseParts, 'tolerance'> = {
        inputs: { u, x },
        outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: N } },
        weights: { w: weight },
        operators: [
          { kind: 'select', x: 'u', weight: 'w', bits: 'bits', estimate: 'e' },
          { kind: 'linear', x: 'x', weight: 'w', bits: 'bits', out: 'y' },
        ],
      }
      const step = { policy: { estimators: [estimator], thresholds } }
      // Estimates alone are held to what f32 can do, products to what the arithmetic can.
      return [
        operatorCase(`${name}, estimates`, { ...parts, steps: [{ ...step, outputs: ['e'] }], tolerance }),
        operatorCase(name, { ...parts, steps: [step, {}], tolerance: largestTolerance([tolerance, products]) }),
      ]
    })
  })
}

/** The middle of the widest gap between the tokens' estimates near a quantile of theirs; beside a single estimate. */
function gapNear(weight: BitPlaneWeight, estimator: Estimator, u: Float32Array, T: number, part: number): number {
  const dense = createDenseWeights()
  const D = u.length / T
  const estimates = Array.from({ length: T }, (_, t) => estimate(dense, weight, estimator, u.subarray(t * D, (t + 1) * D)))
  estimates.sort((a, b) => a - b)
  if (T === 1) return estimates[0] + part - 0.5
  const first = Math.max(1, Math.floor((part - 0.1) * T))
  const last = Math.min(T - 1, Math.ceil((part + 0.1) * T))
  let widest = first
  const gap = (t: number) => estimates[t] - estimates[t - 1]
  for (let t = first + 1; t <= last; t++) if (gap(t) > gap(widest)) widest = t
  return (estimates[widest] + estimates[widest - 1]) / 2
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
