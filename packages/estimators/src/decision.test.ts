import { decideBits, THRESHOLDS } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decisionAt, fillThresholds } from './decision.js'
import type { LinearEstimators, PairEstimator } from './estimator-set.js'
import { createNormals } from './normals.js'
import { sketchQuantiles } from './quantile-sketch.js'

const normal = createNormals(1)
const TOKENS = 2000

/** A linear with pairs 3|4 … up to `most` bits, and what its estimates were. */
function linear(name: string, most: number): { linear: LinearEstimators; estimates: Map<PairEstimator, Float32Array> } {
  const estimates = new Map<PairEstimator, Float32Array>()
  for (let low = 3; low < most; low++) {
    const values = Float32Array.from({ length: TOKENS }, () => Math.exp(normal()))
    estimates.set({ low, high: low + 1, estimator: { kind: 'none' }, quantiles: sketchQuantiles(values) }, values)
  }
  return { linear: { name, cols: 1, pairs: [...estimates.keys()] }, estimates }
}

test('any target between min and max comes out on the tokens of the sketch', () => {
  const linears = [linear('a', 6), linear('b', 4), linear('c', 3)]
  const thresholds = new Float32Array(3 * THRESHOLDS)
  const bits = (most: number) => fc.double({ min: 3, max: most, noNaN: true })
  fc.assert(
    fc.property(bits(6), bits(4), (a, b) => {
      const averages = [a, b, 3]
      const decisions = fillThresholds(
        thresholds,
        linears.map((l) => l.linear),
        averages,
      )
      decisions.forEach(({ pair }, i) => {
        const values = pair === undefined ? new Float32Array(1) : linears[i].estimates.get(pair)!
        const mean = values.reduce((sum, e) => sum + decideBits(e, thresholds, i * THRESHOLDS, 3, 8), 0) / values.length
        expect(Math.abs(mean - averages[i])).toBeLessThanOrEqual(1 / 256 + 1 / TOKENS)
      })
    }),
  )
})

test('whole averages are fixed, at the ends of pairs and without pairs', () => {
  const { linear: a } = linear('a', 5)
  for (const bits of [3, 4, 5]) expect(decisionAt(a, bits)).toMatchObject({ low: bits, high: bits, pair: undefined })
  expect(decisionAt({ name: 'b', pairs: [] }, 3)).toMatchObject({ low: 3, high: 3 })
  expect(decisionAt(a, 4.5)).toMatchObject({ low: 4, high: 5, pair: a.pairs[1] })
})

test('averages that no pair holds are refused', () => {
  const { linear: a } = linear('a', 5)
  for (const bits of [2, 2.5, 5.5, 6, Number.NaN, -1]) expect(() => decisionAt(a, bits)).toThrow(/bits of a within 3\|4, 4\|5/)
  expect(() => decisionAt({ name: 'b', pairs: [] }, 3.5)).toThrow(/whole number/)
  expect(() => fillThresholds(new Float32Array(4), [a], [3.5])).toThrow(/out: expected \[1, 5\]/)
  expect(() => fillThresholds(new Float32Array(5), [a], [])).toThrow(/one for each of 1/)
})
