import { createRandom } from '../../random.js'
import type { Tensor } from '../../tensor.js'
import { type OperatorCase, operatorCase } from '../case-builder.js'
import { randomTensor } from '../random-weights.js'
import { f32Tolerance, sumTolerance } from '../tolerance.js'

/** A teacher far from the logits, and one as near as a well quantized model's is. */
export function klDivergenceCases(): OperatorCase[] {
  const random = createRandom(15)
  const cases: OperatorCase[] = []
  for (const [V, distance] of [
    [1000, 5],
    [1000, 0.1],
    [37, 0.1],
    [1, 1],
  ]) {
    const teacher = randomTensor(random, [4, V], 5)
    const noise = randomTensor(random, [4, V], distance)
    const x = { ...teacher, data: teacher.data.map((value, i) => value + noise.data[i]) }
    const parts = {
      inputs: { x, p: teacher },
      weights: {},
      steps: [{ rows: Uint32Array.of(1, 3, 0, 3) }, {}, { rows: new Uint32Array(0) }],
    }
    const rows = { width: V, rows: 'R' as const }
    const take = [
      { kind: 'take', x: 'x', rows: 'rows', out: 'logits' },
      { kind: 'take', x: 'p', rows: 'rows', out: 'teacher' },
    ] as const
    const { divergence, gradient } = klTolerances(x, teacher)
    cases.push(
      operatorCase(`klDivergence V=${V} ${distance}`, {
        ...parts,
        outs: { logits: rows, teacher: rows, y: { width: 1, rows: 'R' } },
        operators: [...take, { kind: 'klDivergence', logits: 'logits', teacher: 'teacher', out: 'y' }],
        tolerance: f32Tolerance(divergence),
      }),
      operatorCase(`klDivergenceGradient V=${V} ${distance}`, {
        ...parts,
        outs: { logits: rows, teacher: rows, y: rows },
        operators: [...take, { kind: 'klDivergenceGradient', logits: 'logits', teacher: 'teacher', scale: 0.5, out: 'y' }],
        tolerance: f32Tolerance(gradient),
      }),
    )
  }
  return cases
}

/**
 * Roundings of results of their own size that divergences and their gradients may be off by in f32: the largest of any row,
 * as steps are of one row or several. A logit less the logarithm of its sum is off by an ulp of the largest of the three,
 * and that logarithm by the relative error of its sum; the exponential turns this into a relative error of a probability.
 * Where the teacher is near, divergence and gradient are small differences of such terms.
 */
function klTolerances(logits: Tensor<'f32'>, teacher: Tensor<'f32'>): { divergence: number; gradient: number } {
  const [R, V] = logits.shape
  let [divergence, gradient] = [0, 0]
  for (let r = 0; r < R; r++) {
    const [q, p] = [logits, teacher].map(({ data }) => logProbabilities(data.subarray(r * V, (r + 1) * V)))
    const size = Math.max(...[logits, teacher].map(({ data }) => Math.max(...data.map(Math.abs)))) + Math.log(V)
    const off = size + sumTolerance(V) / 2 ** -24 + 2
    let [kl, terms, difference, probabilities] = [0, 0, 0, 0]
    for (let v = 0; v < V; v++) {
      const [P, Q] = [Math.exp(p[v]), Math.exp(q[v])]
      kl += P * (p[v] - q[v])
      terms += P * Math.abs(p[v] - q[v])
      difference += (P - Q) ** 2
      probabilities += P ** 2 + Q ** 2
    }
    // One probability's error is the same for all of a row as far as it comes from the sum: absolute sums, not squares.
    if (kl > 0) divergence = Math.max(divergence, (2 * off + (off + V ** 0.5) * terms) / kl)
    if (difference > 0) gradient = Math.max(gradient, off * Math.sqrt((2 * probabilities) / difference))
  }
  return { divergence, gradient }
}

function logProbabilities(x: Float32Array): Float64Array {
  const max = Math.max(...x)
  const logSum = max + Math.log(x.reduce((sum, value) => sum + Math.exp(value - max), 0))
  return Float64Array.from(x, (value) => value - logSum)
}
