import type { Estimator, Tensor } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimateGroup, groupEstimators } from './group.js'
import { inputNorms } from './input-norms.js'
import { createNormals } from './normals.js'
import { projectedNorm } from './projection.js'

const cols = 7
const normal = createNormals(1)
const matrix = (k: number): Tensor<'f32'> => ({
  dtype: 'f32',
  shape: [k, cols],
  data: Float32Array.from({ length: k * cols }, normal),
})

const vector = (): Tensor<'f32'> => ({ dtype: 'f32', shape: [cols], data: Float32Array.from({ length: cols }, normal) })

test('a group gives what its members give one by one', () => {
  const one: fc.Arbitrary<Estimator> = fc.oneof(
    fc.constant<Estimator>({ kind: 'none' }),
    fc.record({
      kind: fc.constant('linear' as const),
      slope: fc.float({ noNaN: true, min: 0, max: 9 }),
      intercept: fc.constant(0.5),
    }),
    fc.integer({ min: 1, max: 9 }).map((k): Estimator => ({ kind: 'projection', matrix: matrix(k) })),
    fc.float({ noNaN: true, min: -9, max: 9 }).map((bias): Estimator => ({ kind: 'probe', weights: vector(), bias })),
  )
  fc.assert(
    fc.property(fc.array(one, { maxLength: 5 }), (estimators) => {
      const group = groupEstimators(estimators, cols)
      const x = Float32Array.from({ length: cols }, normal)
      const found = estimateGroup(group, x)
      expect(found).toHaveLength(estimators.length)
      estimators.forEach((estimator, i) => {
        if (estimator.kind === 'none') expect(found[i]).toBe(0)
        if (estimator.kind === 'projection') expect(found[i]).toBe(Math.fround(projectedNorm(estimator.matrix, x)))
        if (estimator.kind === 'probe') {
          const { weights, bias } = estimator
          expect(found[i]).toBe(Math.fround(weights.data.reduce((sum, w, d) => sum + w * x[d], 0) + bias))
        }
        if (estimator.kind === 'linear') {
          const wanted = estimator.slope * inputNorms(x, cols)[0] + estimator.intercept
          // ‖x‖ was rounded to f32 here.
          expect(Math.abs(found[i] - wanted)).toBeLessThanOrEqual(1e-6 * Math.abs(wanted))
        }
      })
    }),
  )
})

test('a matrix that members share is stacked once', () => {
  const shared = matrix(4)
  const estimators: Estimator[] = [shared, matrix(3), shared].map((m) => ({ kind: 'projection', matrix: m }))
  const group = groupEstimators(estimators, cols)
  expect(group.matrix.shape).toEqual([7, cols])
  expect(group.members).toEqual([
    { kind: 'projection', begin: 0, end: 4 },
    { kind: 'projection', begin: 4, end: 7 },
    { kind: 'projection', begin: 0, end: 4 },
  ])
  const out = new Float32Array(3)
  expect(estimateGroup(group, Float32Array.of(1, 0, 0, 0, 0, 0, 0), out)).toBe(out)
  expect(out[0]).toBe(out[2])
})

test('probes keep their sign, and what they share is stacked once', () => {
  const weights = vector()
  const probes = [0.5, -0.5].map((bias): Estimator => ({ kind: 'probe', weights, bias }))
  const group = groupEstimators([{ kind: 'projection', matrix: matrix(2) }, ...probes], cols)
  expect(group.matrix.shape).toEqual([3, cols])
  expect(group.members.slice(1)).toEqual([
    { kind: 'probe', row: 2, bias: 0.5 },
    { kind: 'probe', row: 2, bias: -0.5 },
  ])
  const x = new Float32Array(cols)
  x[0] = weights.data[0] > 0 ? -1 : 1
  const [, first, second] = estimateGroup(group, x)
  expect(first).toBe(Math.fround(0.5 - Math.abs(weights.data[0])))
  expect(second).toBe(Math.fround(-0.5 - Math.abs(weights.data[0])))
})

test('what does not fit is refused', () => {
  expect(() => groupEstimators([{ kind: 'exact', low: 3, high: 4 }], cols)).toThrow(/need the weights/)
  expect(() => groupEstimators([{ kind: 'projection', matrix: matrix(2) }], cols + 1)).toThrow(/estimators\[0\].matrix/)
  const probe: Estimator = { kind: 'probe', weights: vector(), bias: 0 }
  expect(() => groupEstimators([probe], cols + 1)).toThrow(/estimators\[0\].weights: expected \[8\]/)
  expect(() => groupEstimators([{ ...probe, weights: matrix(1) }], cols)).toThrow(/estimators\[0\].weights/)
  expect(() => estimateGroup(groupEstimators([], cols), new Float32Array(3))).toThrow(/x: expected \[7\]/)
})
