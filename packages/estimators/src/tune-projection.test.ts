import type { Tensor } from '@dpllm/core'
import { expect, test } from 'vitest'
import { synthetic } from '../scripts/synthetic.mjs'
import { errorNorms } from './error-norms.js'
import { estimateAccuracy } from './estimate-accuracy.js'
import { createNormals } from './normals.js'
import { createProjection, projectedNorm, projectedNorms } from './projection.js'
import { tuneProjection } from './tune-projection.js'
import { gaussNewtonWeights } from './tune-step.js'

const [rows, cols, k] = [40, 32, 12]

async function start(seed: number, tokens = 2000) {
  const { x, rowOf } = synthetic(createNormals(1000 + seed), { rows, cols, tokens })
  const errors = await errorNorms(rows, cols, rowOf, x)
  return { matrix: createProjection(rows, cols, rowOf, { seed, k }), tokens: { x, errors } }
}

test('errors on text that was not looked at shrink', async () => {
  for (const seed of [1, 2, 3]) {
    const { matrix, tokens } = await start(seed)
    const [x, errors] = [tokens.x.subarray(0, 1000 * cols), tokens.errors.subarray(0, 1000)]
    const tuned = await tuneProjection(matrix, { x, errors }, { seed })
    const fresh = { x: tokens.x.subarray(1000 * cols), errors: tokens.errors.subarray(1000) }
    const errorOf = (m: Tensor<'f32'>) => estimateAccuracy(projectedNorms(m, fresh.x), fresh.errors).rootMeanSquare
    expect(errorOf(tuned.matrix)).toBeLessThan(0.75 * errorOf(matrix))
    expect(tuned.after).toBeLessThan(0.75 * tuned.before)
    expect(tuned.bestStep).toBeGreaterThan(0)
  }
})

test('the same seed gives the same bits; the matrix given is not changed', async () => {
  const { matrix, tokens } = await start(4, 300)
  const before = matrix.data.slice()
  const [a, b] = [await tuneProjection(matrix, tokens, { seed: 9 }), await tuneProjection(matrix, tokens, { seed: 9 })]
  expect(a).toEqual(b)
  expect(matrix.data).toEqual(before)
  expect((await tuneProjection(matrix, tokens, { seed: 8 })).matrix.data).not.toEqual(a.matrix.data)
})

test('outlier tokens, zeros and repeated tokens do no harm', async () => {
  const { matrix, tokens } = await start(5, 400)
  for (let t = 0; t < 400; t += 10) {
    const factor = t % 20 === 0 ? 1000 : 0
    for (let c = 0; c < cols; c++) tokens.x[t * cols + c] = tokens.x[c] * factor
    tokens.errors[t] = tokens.errors[0] * factor
  }
  const { before, after, matrix: tuned } = await tuneProjection(matrix, tokens, { seed: 1 })
  expect(after).toBeLessThanOrEqual(before)
  expect(tuned.data.every(Number.isFinite)).toBe(true)
  const zero = { x: new Float32Array(8 * cols), errors: new Float32Array(8) }
  expect((await tuneProjection(matrix, zero, { seed: 1 })).matrix).toBe(matrix)
})

test('held-out tokens that disagree with the others keep the matrix as it was', async () => {
  const { matrix, tokens } = await start(6, 400)
  // Fitted tokens say that errors are ten times as large; those held out, which come last, are right already.
  const exact = projectedNorms(matrix, tokens.x)
  tokens.errors.forEach((_, t) => {
    tokens.errors[t] = t < 300 ? 10 * exact[t] : exact[t]
  })
  expect(await tuneProjection(matrix, tokens, { seed: 1 })).toMatchObject({ matrix, bestStep: 0, after: 0 })
})

test('one step on one token mends its estimate but for the damping', () => {
  const normal = createNormals(7)
  const matrix: Tensor<'f32'> = { dtype: 'f32', shape: [k, cols], data: Float32Array.from({ length: k * cols }, normal) }
  const x = Float32Array.from({ length: cols }, normal)
  const norm = projectedNorm(matrix, x)
  const square = x.reduce((sum, value) => sum + value * value, 0)
  const projected = Float64Array.from({ length: k }, (_, j) => x.reduce((sum, v, c) => sum + v * matrix.data[j * cols + c], 0))
  const weights = gaussNewtonWeights(projected, Float64Array.of(square), Float32Array.of(2), square)
  const moved = matrix.data.map((value, i) => value + weights[Math.floor(i / cols)] * x[i % cols])
  // α = (e − ‖G x‖) / (‖x‖² + 0.1 ‖x‖²), and the norm grows by α ‖x‖².
  expect(projectedNorm({ ...matrix, data: moved }, x)).toBeCloseTo(norm + (2 - norm) / 1.1, 4)
})

test('a step on inputs that are all zero changes nothing', () => {
  expect(gaussNewtonWeights(new Float64Array(2 * k), new Float64Array(4), Float32Array.of(0, 1), 0)).toEqual(
    new Float64Array(2 * k),
  )
})

test('progress, aborts and arguments', async () => {
  const { matrix, tokens } = await start(8, 200)
  const seen: number[] = []
  await tuneProjection(matrix, tokens, { seed: 1, steps: 20, onProgress: ({ done, total }) => seen.push(done / total) })
  expect(seen).toEqual([0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1])
  const abort = new AbortController()
  const run = tuneProjection(matrix, tokens, {
    seed: 1,
    signal: abort.signal,
    onProgress: () => abort.abort(new Error('enough')),
  })
  await expect(run).rejects.toThrow('enough')
  await expect(tuneProjection(matrix, tokens, { seed: 1, steps: -1 })).rejects.toThrow(/steps/)
  const bad = { x: tokens.x, errors: tokens.errors.with(3, Number.NaN) }
  await expect(tuneProjection(matrix, bad, { seed: 1 })).rejects.toThrow(/tokens.errors: expected finite/)
})
