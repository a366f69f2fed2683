import { DpllmError, type Estimator, FileFormatError, type Tensor, UnsupportedError } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deserializeEstimators } from './deserialize.js'
import type { LinearEstimators } from './estimator-set.js'
import { createNormals } from './normals.js'
import { sketchQuantiles } from './quantile-sketch.js'
import { serializeEstimators } from './serialize.js'

const cols = 5
const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const estimatorOf = (low: number, high: number): fc.Arbitrary<Estimator> =>
  fc.oneof(
    fc.constant<Estimator>({ kind: 'none' }),
    fc.constant<Estimator>({ kind: 'exact', low, high }),
    // JSON has no −0.
    fc
      .tuple(finite, finite)
      .map(([slope, intercept]): Estimator => ({ kind: 'linear', slope: slope + 0, intercept: intercept + 0 })),
    fc.tuple(fc.nat(), fc.integer({ min: 1, max: 3 })).map(([seed, k]): Estimator => {
      const data = Float32Array.from({ length: k * cols }, createNormals(seed))
      return { kind: 'projection', matrix: { dtype: 'f32', shape: [k, cols], data } }
    }),
    fc.tuple(fc.nat(), fc.float({ noNaN: true, noDefaultInfinity: true })).map(([seed, bias]): Estimator => {
      const data = Float32Array.from({ length: cols }, createNormals(seed))
      return { kind: 'probe', weights: { dtype: 'f32', shape: [cols], data }, bias: bias + 0 }
    }),
  )
const pairOf = (low: number, high: number) =>
  fc
    .tuple(estimatorOf(low, high), fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }))
    .map(([estimator, values]) => ({ low, high, estimator, quantiles: sketchQuantiles(values) }))
const linears = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, unit: 'binary' }),
    cols: fc.constant(cols),
    pairs: fc.oneof(fc.constant([]), fc.tuple(pairOf(3, 4)), fc.tuple(pairOf(3, 4), pairOf(4, 5)), fc.tuple(pairOf(2, 8))),
  }),
  { selector: (linear) => linear.name, maxLength: 4 },
)

const probe = { kind: 'probe', weights: { dtype: 'f32', shape: [2], data: Float32Array.of(3, -4) }, bias: -0.5 } as const
const example: LinearEstimators[] = [
  {
    name: 'q_proj',
    cols: 2,
    pairs: [
      {
        low: 3,
        high: 4,
        estimator: { kind: 'projection', matrix: { dtype: 'f32', shape: [1, 2], data: Float32Array.of(1, 2) } },
        quantiles: sketchQuantiles([1, 2, 3]),
      },
      { low: 4, high: 5, estimator: { kind: 'linear', slope: 1, intercept: 2 }, quantiles: sketchQuantiles([1, 2]) },
      { low: 5, high: 6, estimator: probe, quantiles: sketchQuantiles([-1, 2]) },
    ],
  },
]

test('what was written is read back, bit for bit', () => {
  fc.assert(
    fc.property(linears, (written) => {
      const { header, tensors } = serializeEstimators(written)
      const read = deserializeEstimators(JSON.parse(JSON.stringify(header)), tensors)
      expect(read).toEqual(written)
    }),
  )
})

test('tensors are named after linear and pair', () => {
  const { header, tensors } = serializeEstimators(example)
  const names = ['3-4.quantiles', '3-4.projection', '4-5.quantiles', '5-6.quantiles', '5-6.probe'].map((key) => `q_proj.${key}`)
  expect([...tensors.keys()]).toEqual(names)
  expect(tensors.get('q_proj.5-6.probe')).toMatchObject({ shape: [2] })
  expect(header.linears[0].pairs[2]).toEqual({ low: 5, high: 6, estimator: { kind: 'probe', bias: -0.5 } })
  expect(header).toMatchObject({ format: 'dpllm-estimators', version: 1 })
})

test('what would not be read is not written', () => {
  const [{ pairs, ...linear }] = example
  const write = (change: object) => () => serializeEstimators([{ ...linear, pairs, ...change }])
  expect(write({ cols: 3 })).toThrow(/q_proj.3-4.projection: expected \[1 to 4096, 3\]/)
  expect(write({ name: '' })).toThrow(/linears\[0\].name/)
  expect(write({ pairs: [pairs[1], pairs[0]] })).toThrow(/5 <= low/)
  expect(write({ pairs: [{ ...pairs[1], quantiles: pairs[1].quantiles.toReversed() }] })).toThrow(/do not descend/)
  expect(write({ pairs: [{ ...pairs[1], estimator: { kind: 'linear', slope: Number.NaN, intercept: 0 } }] })).toThrow(/slope/)
  const withProbe = (change: object) => write({ pairs: [{ ...pairs[2], estimator: { ...probe, ...change } }] })
  expect(withProbe({ bias: 1e39 })).toThrow(/q_proj.5-6.bias: expected a number that is finite in f32/)
  const tensor = (...data: number[]) => ({ dtype: 'f32', shape: [data.length], data: Float32Array.from(data) })
  expect(withProbe({ weights: tensor(1, 2, 3) })).toThrow(/q_proj.5-6.probe: expected \[2\]/)
  expect(withProbe({ weights: tensor(1, Number.NaN) })).toThrow(/q_proj.5-6.probe: expected finite/)
  expect(() => serializeEstimators([...example, ...example])).toThrow(/no other linear has/)
})

test('another format and newer versions are refused', () => {
  const { header, tensors } = serializeEstimators(example)
  expect(() => deserializeEstimators({ ...header, version: 2 }, tensors, 'x.json')).toThrow(UnsupportedError)
  expect(() => deserializeEstimators({ ...header, version: 0.5 }, tensors, 'x.json')).toThrow(/x.json: version/)
  for (const other of [null, [], 'text', {}, { ...header, format: 'other' }])
    expect(() => deserializeEstimators(other, tensors)).toThrow(/is not of the format/)
})

test('missing and wrong tensors are named', () => {
  const { header, tensors } = serializeEstimators(example)
  const without = new Map<string, Tensor>(tensors)
  without.delete('q_proj.4-5.quantiles')
  expect(() => deserializeEstimators(header, without, 'x')).toThrow('x: q_proj.4-5.quantiles: expected a tensor, found none')
  const matrix: Tensor = { dtype: 'f16', shape: [1, 2], data: new Uint16Array(2) }
  const half = new Map<string, Tensor>(tensors).set('q_proj.3-4.projection', matrix)
  expect(() => deserializeEstimators(header, half, 'x')).toThrow('x: q_proj.3-4.projection: expected f32, found f16')
  const infinite = { ...matrix, dtype: 'f32' as const, data: Float32Array.of(1, Number.POSITIVE_INFINITY) }
  expect(() =>
    deserializeEstimators(header, new Map<string, Tensor>(tensors).set('q_proj.3-4.projection', infinite), 'x'),
  ).toThrow(FileFormatError)
})

test('a damaged header gives an error of ours or estimators that can be written again', () => {
  const { header, tensors } = serializeEstimators(example)
  const text = JSON.stringify(header)
  const values = [null, -1, 0, 0.5, 1e300, '', 'x'.repeat(2000), [], {}, [[]], true]
  let refused = 0
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...values), (at, value) => {
      // Replaces one value somewhere in the tree.
      let count = 0
      const nodes = (text.match(/[:,[]/g) ?? []).length
      const damaged = JSON.parse(text, (_, node) => (count++ === at % nodes ? value : node))
      try {
        const read = deserializeEstimators(damaged, tensors, 'x')
        serializeEstimators(read)
      } catch (error) {
        expect(DpllmError.isInstance(error)).toBe(true)
        refused++
      }
    }),
    { seed: 1, numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
})
