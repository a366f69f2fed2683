import { createRandom, createReferenceBackend, type Operator, type Program, type ValueInfo, type Weight } from '@dpllm/core'
import { randomTensor } from '@dpllm/core/testing'
import { expect, test } from 'vitest'
import { dampCovariance, inputCovariances, type RunnableModel } from './input-covariance.js'

const [VOCABULARY, D, F] = [20, 6, 9]
const windows = [Uint32Array.of(3, 1, 4, 1, 5, 9, 2), Uint32Array.of(6, 5, 3), Uint32Array.of(5)]

/** An attention and two linears on a residual stream. */
function smallModel(embedding = 1): RunnableModel {
  const random = createRandom(2)
  const value = (width: number): ValueInfo => ({ dtype: 'f32', shape: ['T', width] })
  const values: Record<string, ValueInfo> = {
    tokens: { dtype: 'u32', shape: ['T'] },
    rows: { dtype: 'u32', shape: ['R'] },
    last: { dtype: 'f32', shape: ['R', D] },
    logits: { dtype: 'f32', shape: ['R', VOCABULARY] },
    ...Object.fromEntries(['x', 'attended', 'down'].map((name) => [name, value(D)])),
    up: value(F),
  }
  const weights = new Map<string, Weight>([
    ['table', randomTensor(random, [VOCABULARY, D], embedding)],
    ['up.weight', randomTensor(random, [F, D])],
    ['down.weight', randomTensor(random, [D, F])],
  ])
  const attention = { layer: 0, heads: 2, kvHeads: 2, headDim: 3, scale: 1 }
  const operators: Operator[] = [
    { kind: 'embed', tokens: 'tokens', table: 'table', out: 'x' },
    { kind: 'attention', q: 'x', k: 'x', v: 'x', ...attention, out: 'attended' },
    { kind: 'linear', x: 'attended', weight: 'up.weight', out: 'up' },
    { kind: 'linear', x: 'up', weight: 'down.weight', out: 'down' },
    { kind: 'take', x: 'down', rows: 'rows', out: 'last' },
    { kind: 'linear', x: 'last', weight: 'table', out: 'logits' },
  ]
  const program: Program = { values, operators, caches: [{ width: D }] }
  return { backend: createReferenceBackend(), program, weights }
}

/** Σ_t x_t x_tᵀ of a value, damped, from the value itself. */
async function momentsOf(model: RunnableModel, value: string): Promise<Float64Array> {
  await using compiled = await model.backend.compile(model.program, model.weights)
  let sums = new Float64Array(0)
  for (const tokens of windows) {
    using cache = compiled.createCache(tokens.length)
    const { outputs } = await compiled.run({ tokens, position: 0, cache, rows: tokens.map((_, t) => t), outputs: [value] })
    const size = outputs[value].length / tokens.length
    if (sums.length === 0) sums = new Float64Array(size * size)
    for (let t = 0; t < tokens.length; t++) {
      const x = outputs[value].subarray(t * size, (t + 1) * size)
      for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sums[i * size + j] += x[i] * x[j]
    }
  }
  const size = Math.sqrt(sums.length)
  const trace = sums.reduce((sum, value, i) => sum + (i % (size + 1) === 0 ? value : 0), 0)
  return sums.map((value, i) => value + (i % (size + 1) === 0 ? (1e-3 * trace) / size : 0))
}

test.each([
  ['at once', undefined, 1],
  ['in groups', 4 * (D * D + F * F), 2],
  ['one by one', 1, 3],
])('second moments of values over all tokens, %s', async (_, covarianceBytes, passes) => {
  const model = smallModel()
  const seen: [number, number][] = []
  const found: string[] = []
  const options = { covarianceBytes, onTokens: (done: number, total: number) => void seen.push([done, total]) }
  for await (const { value, covariance } of inputCovariances(model, ['last', 'up', 'attended'], windows, options)) {
    found.push(value)
    const wanted = await momentsOf(model, value)
    expect(covariance.length).toBe(wanted.length)
    const largest = Math.max(...wanted.map(Math.abs))
    covariance.forEach((h, i) => {
      expect(Math.abs(h - wanted[i])).toBeLessThan(1e-5 * largest)
    })
  }
  // In the order of the program.
  expect(found).toEqual(['attended', 'up', 'last'])
  expect(seen.length).toBe(windows.length * passes)
  expect(seen.at(-1)).toEqual([11 * passes, 11 * passes])
})

test('the model is run only as far as it is needed', async () => {
  const { backend, ...model } = smallModel()
  const compiled: string[][] = []
  const counting = {
    ...backend,
    compile: (program: Program, weights: RunnableModel['weights']) => {
      compiled.push(program.operators.map(({ kind }) => kind))
      return backend.compile(program, weights)
    },
  }
  for await (const _ of inputCovariances({ ...model, backend: counting }, ['up', 'attended'], windows, { covarianceBytes: 1 }));
  expect(compiled).toEqual([
    ['embed', 'attention', 'accumulate'],
    ['embed', 'attention', 'linear', 'accumulate'],
  ])
})

test('damping adds a thousandth of the mean diagonal', () => {
  expect(dampCovariance(Float32Array.of(1000, 5, 5, 3000))).toEqual(Float32Array.of(1002, 5, 5, 3002))
})

test('values that overflow, and an abort, end it', async () => {
  const all = async (model: RunnableModel, signal?: AbortSignal) => {
    for await (const _ of inputCovariances(model, ['attended'], windows, { signal }));
  }
  await expect(all(smallModel(1e30))).rejects.toThrow(/attended is no finite number/)
  await expect(all(smallModel(), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})
