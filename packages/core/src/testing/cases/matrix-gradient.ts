import { pairThresholds, staticPolicy } from '../../backend/policy.js'
import { bitsAround } from '../../bit-planes/bits-around.js'
import { dequantize } from '../../bit-planes/dequantize.js'
import type { BitPlaneWeight } from '../../bit-planes/weight.js'
import { createRandom } from '../../random.js'
import { type OperatorCase, operatorCase } from '../case-builder.js'
import { castTensor, randomBitPlanes, randomTensor } from '../random-weights.js'
import { bitPlaneTolerance, f32Tolerance, largestTolerance, sumTolerance } from '../tolerance.js'

/** Shapes [N, K]: whole kernel blocks, tails of every kind, fewer rows than threads. */
const shapes: [N: number, K: number][] = [
  [64, 512],
  [172, 64],
  [288, 288],
  [33, 1056],
  [1, 32],
  [5, 7],
]

const roundings = (sum: number) => f32Tolerance(sum / 2 ** -24 + 1)

/** Transposed products, weight gradients, and linears at average bits. */
export function matrixGradientCases(): OperatorCase[] {
  return [...transposedCases(), ...accumulateCases(), ...mixedCases()]
}

function transposedCases(): OperatorCase[] {
  const random = createRandom(13)
  const cases: OperatorCase[] = []
  for (const [N, K] of shapes) {
    for (const dtype of ['f32', 'f16', 'bf16'] as const) {
      for (const T of [1, 19]) {
        cases.push(
          operatorCase(`linearTransposed ${dtype} ${N}x${K} T=${T}`, {
            inputs: { dy: randomTensor(random, [T, N]) },
            outs: { y: { width: K } },
            weights: { w: castTensor(randomTensor(random, [N, K]), dtype) },
            operators: [{ kind: 'linearTransposed', dy: 'dy', weight: 'w', out: 'y' }],
            tolerance: roundings(sumTolerance(N)),
          }),
        )
      }
    }
    for (let bits = 3; bits <= 8; bits++) {
      const w = randomBitPlanes(N * 37 + K, N, K)
      const x = randomTensor(random, [5, K])
      cases.push(
        operatorCase(`linearTransposed ${bits} bits ${N}x${K}`, {
          inputs: { x, dy: randomTensor(random, [5, N]) },
          outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: K } },
          weights: { w },
          operators: [
            { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
            { kind: 'linearTransposed', dy: 'dy', weight: 'w', bits: 'bits', out: 'y' },
          ],
          // All tokens at these bits, then all at the most.
          steps: [{ policy: staticPolicy([bits]) }, {}],
          tolerance: roundings(sumTolerance(N)),
        }),
      )
    }
  }

  // Tokens that read different bits: the projection of a token is its first value.
  const first = { dtype: 'f32' as const, shape: [1, 64], data: new Float32Array(64).fill(1, 0, 1) }
  const policy = { estimators: [{ kind: 'projection' as const, matrix: first }], thresholds: pairThresholds(3, 6, 0.5) }
  const x = randomTensor(random, [6, 64])
  for (let t = 0; t < 6; t++) x.data[t * 64] = t % 2
  cases.push(
    operatorCase('linearTransposed bits of each token', {
      inputs: { x, dy: randomTensor(random, [6, 48]) },
      outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: 64 } },
      weights: { w: randomBitPlanes(5, 48, 64) },
      operators: [
        { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
        { kind: 'linearTransposed', dy: 'dy', weight: 'w', bits: 'bits', out: 'y' },
      ],
      steps: [{ policy }],
      tolerance: roundings(sumTolerance(48)),
    }),
    operatorCase('linearTransposed head', {
      inputs: { x: randomTensor(random, [9, 96]) },
      outs: { dy: { width: 96, rows: 'R' }, y: { width: 160, rows: 'R' } },
      weights: { w: castTensor(randomTensor(random, [96, 160]), 'bf16') },
      operators: [
        { kind: 'take', x: 'x', rows: 'rows', out: 'dy' },
        { kind: 'linearTransposed', dy: 'dy', weight: 'w', out: 'y' },
      ],
      steps: [{}, { rows: Uint32Array.of(8, 0, 3, 3, 7) }, { rows: new Uint32Array(0) }],
      tolerance: roundings(sumTolerance(96)),
    }),
  )
  return cases
}

function accumulateCases(): OperatorCase[] {
  const random = createRandom(14)
  const cases: OperatorCase[] = []
  for (const [N, K] of shapes) {
    for (const lengths of [[1], [19], [3, 1, 40]]) {
      const T = lengths.reduce((a, b) => a + b)
      let from = 0
      const steps = lengths.map((length) => ({ tokens: Uint32Array.from({ length }, () => from++) }))
      cases.push(
        operatorCase(`accumulate ${N}x${K} T=${lengths}`, {
          inputs: { x: randomTensor(random, [T, K]), dy: randomTensor(random, [T, N]) },
          outs: {},
          operators: [
            { kind: 'accumulate', x: 'x', dy: 'dy', mode: 'sum', into: 'sum' },
            { kind: 'accumulate', x: 'x', dy: 'dy', mode: 'squares', into: 'squares' },
          ],
          accumulators: [
            { name: 'sum', shape: [N, K] },
            { name: 'squares', shape: [N, K] },
          ],
          steps,
          capacity: T,
          // Sums over tokens, whose errors a square doubles, and one addition for each step.
          tolerance: f32Tolerance((2 * sumTolerance(T)) / 2 ** -24 + lengths.length + 1),
        }),
      )
    }
  }
  return cases
}

function mixedCases(): OperatorCase[] {
  const random = createRandom(15)
  const cases: OperatorCase[] = []
  const given = { p: { dtype: 'f32' as const, shape: [1] } }
  for (const [N, K] of shapes) {
    for (const [T, p] of [
      [1, 3.25],
      [7, 5],
      [7, 6],
    ]) {
      const w = randomBitPlanes(N * 41 + K, N, K, 3, 6)
      const { low, high } = bitsAround(w, p)
      const x = randomTensor(random, [T, K])
      const dy = randomTensor(random, [T, N])
      const steps = [{ inputs: { p: Float32Array.of(p) } }]
      const shape = `${N}x${K} T=${T} p=${p}`
      cases.push(
        operatorCase(`mixedLinear ${shape}`, {
          inputs: { x },
          outs: { y: { width: N } },
          weights: { w, b: randomTensor(random, [N], 0.1) },
          given,
          operators: [{ kind: 'mixedLinear', x: 'x', weight: 'w', bias: 'b', averageBits: 'p', out: 'y' }],
          steps,
          tolerance: largestTolerance([low, high].map((bits) => bitPlaneTolerance(w, bits, x.data))),
        }),
        operatorCase(`mixedLinearTransposed ${shape}`, {
          inputs: { dy },
          outs: { y: { width: K } },
          weights: { w },
          given,
          operators: [{ kind: 'mixedLinearTransposed', dy: 'dy', weight: 'w', averageBits: 'p', out: 'y' }],
          steps,
          tolerance: roundings(sumTolerance(2 * N)),
        }),
        operatorCase(`bitsGradient ${shape}`, {
          inputs: { x, dy },
          outs: { y: { width: 1, rows: 1 } },
          weights: { w },
          given,
          operators: [{ kind: 'bitsGradient', x: 'x', dy: 'dy', weight: 'w', averageBits: 'p', out: 'y' }],
          steps,
          tolerance: roundings(bitsGradientTolerance(w, low, high, x.data, dy.data)),
        }),
        operatorCase(`tokenErrors ${shape}`, {
          inputs: { x, dy },
          outs: { y: { width: 1 } },
          weights: { w },
          operators: [{ kind: 'tokenErrors', x: 'x', dy: 'dy', weight: 'w', low: 3, high, out: 'y' }],
          tolerance: roundings(tokenErrorsTolerance(w, 3, high, x.data, dy.data)),
        }),
      )
    }
  }
  return cases
}

/**
 * Relative error of Σ_n (dy[t, n] d[t, n])², d = (W_high − W_low) x, in f32: each d by that of sums over K, relative to the root of
 * the squares of what they add up, which squaring doubles; then a product, a square and a sum over N.
 */
function tokenErrorsTolerance(w: BitPlaneWeight, low: number, high: number, x: Float32Array, dy: Float32Array): number {
  const [wLow, wHigh] = [dequantize(w, low), dequantize(w, high)]
  const { rows: N, cols: K } = w
  let [results, errors] = [0, 0]
  for (let t = 0; t < x.length / K; t++) {
    let [result, error] = [0, 0]
    for (let n = 0; n < N; n++) {
      let [d, products] = [0, 0]
      for (let k = 0; k < K; k++) {
        const [a, b] = [wLow[n * K + k] * x[t * K + k], wHigh[n * K + k] * x[t * K + k]]
        d += b - a
        products += a * a + b * b
      }
      const square = dy[t * N + n] ** 2
      result += square * d * d
      error += 2 * square * Math.abs(d) * Math.sqrt(products) * sumTolerance(K)
    }
    results += result ** 2
    errors += (error + sumTolerance(N) * result) ** 2
  }
  return Math.sqrt(errors / results)
}

/**
 * Relative error of Σ_t ⟨dy[t], (W_high − W_low) x[t]⟩ in f32: sums over K, then over rows and tokens, relative to the root
 * of the squares of what they add up, which is more than the result where that cancels.
 */
function bitsGradientTolerance(w: BitPlaneWeight, low: number, high: number, x: Float32Array, dy: Float32Array): number {
  const [wLow, wHigh] = [dequantize(w, low), dequantize(w, high)]
  const { rows: N, cols: K } = w
  let [result, terms, products] = [0, 0, 0]
  for (let i = 0; i < dy.length; i++) {
    const [t, n] = [Math.floor(i / N), i % N]
    let dot = 0
    for (let k = 0; k < K; k++) {
      const [a, b] = [wLow[n * K + k] * x[t * K + k], wHigh[n * K + k] * x[t * K + k]]
      dot += b - a
      products += dy[i] ** 2 * (a * a + b * b)
    }
    result += dy[i] * dot
    terms += (dy[i] * dot) ** 2
  }
  return (sumTolerance(K) * Math.sqrt(products) + sumTolerance(dy.length) * Math.sqrt(terms)) / Math.abs(result)
}
