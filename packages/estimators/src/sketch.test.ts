import { expect, test } from 'vitest'
import { synthetic } from '../scripts/synthetic.mjs'
import { errorNorms } from './error-norms.js'
import { estimateAccuracy } from './estimate-accuracy.js'
import { combineRows } from './linear-algebra/combine-rows.js'
import { dotProducts } from './linear-algebra/dot-products.js'
import { symmetricEigen } from './linear-algebra/symmetric-eigen.js'
import { createNormals } from './normals.js'
import { principalDirections } from './principal-directions.js'
import { createProjection, projectedNorms } from './projection.js'
import { fitScale } from './scale-fit.js'
import { createSketch } from './sketch.js'
import { bestSplit } from './sketch-split.js'

const shape = { rows: 60, cols: 48, tokens: 1200 }
const k = 16

async function measured(seed: number, decay: number, { rows, cols, tokens } = shape) {
  const data = synthetic(createNormals(1000 + seed), { rows, cols, tokens, decay })
  const errors = await errorNorms(rows, cols, data.rowOf, data.x)
  const half = tokens / 2
  const calibration = { x: data.x.subarray(0, half * cols), errors: errors.subarray(0, half) }
  const fresh = { x: data.x.subarray(half * cols), errors: errors.subarray(half) }
  return { ...data, calibration, fresh }
}

test.each([0.5, 1])('inputs that shrink as c^−%d: nearer than a random projection of as many rows', async (decay) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { rowOf, calibration, fresh } = await measured(seed, decay)
    const random = createProjection(shape.rows, shape.cols, rowOf, { seed, k })
    const sketch = await createSketch(shape.rows, shape.cols, rowOf, calibration, { seed, k })
    const [a, b] = [random, sketch.matrix].map((m) => estimateAccuracy(projectedNorms(m, fresh.x), fresh.errors))
    expect(b.rootMeanSquare).toBeLessThan(0.75 * a.rootMeanSquare)
    expect(b.r2).toBeGreaterThan(a.r2)
    expect(sketch.matrix.shape).toEqual([k, shape.cols])
    expect(sketch.principal).toBeGreaterThan(0)
  }
})

test('some rows of both sorts are better than all rows of one sort, of either', async () => {
  const wide = { rows: 120, cols: 160, tokens: 1200 }
  for (const decay of [0.4, 0.8]) {
    const { rowOf, calibration, fresh } = await measured(7, decay, wide)
    // Mean over draws of A, as one draw decides what all tokens see.
    const errorOf = async (wanted: number | undefined) => {
      let sum = 0
      for (let seed = 0; seed < 6; seed++) {
        const { matrix, principal } = await createSketch(wide.rows, wide.cols, rowOf, calibration, { seed, k, principal: wanted })
        sum += estimateAccuracy(projectedNorms(matrix, fresh.x), fresh.errors).rootMeanSquare / 6
        if (wanted === undefined) expect(principal > 0 && principal < k).toBe(true)
      }
      return sum
    }
    expect(await errorOf(undefined)).toBeLessThan(0.95 * Math.min(await errorOf(0), await errorOf(k)))
  }
})

test('errors of at most k directions are found exactly', async () => {
  const normal = createNormals(4)
  const factors = Array.from({ length: shape.rows }, () => [normal(), normal(), normal()])
  const base = Array.from({ length: 3 }, () => Float32Array.from({ length: shape.cols }, normal))
  const rowOf = (n: number) => base[0].map((_, c) => factors[n].reduce((sum, f, j) => sum + f * base[j][c], 0))
  const { x } = synthetic(normal, { ...shape, tokens: 100 })
  const errors = await errorNorms(shape.rows, shape.cols, rowOf, x)
  for (const rows of [3, 8]) {
    const { matrix } = await createSketch(shape.rows, shape.cols, rowOf, { x, errors }, { seed: 1, k: rows, principal: rows })
    const estimates = projectedNorms(matrix, x)
    errors.forEach((e, t) => {
      expect(Math.abs(estimates[t] / e - 1)).toBeLessThan(1e-5)
    })
  }
})

test('principal directions are orthonormal and hold the most energy', async () => {
  const { rowOf, x } = synthetic(createNormals(1005), { ...shape, decay: 1 })
  const count = 6
  const directions = await principalDirections(shape.rows, shape.cols, rowOf, x, count, { seed: 1 })
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let product = 0
      for (let r = 0; r < shape.rows; r++) product += directions[r * count + i] * directions[r * count + j]
      expect(product).toBeCloseTo(i === j ? 1 : 0, 9)
    }
  }
  const matrix = Float32Array.from(combineRows(directions, shape.rows, shape.cols, rowOf))
  const held = projectedNorms({ dtype: 'f32', shape: [count, shape.cols], data: matrix }, x).reduce((sum, e) => sum + e * e, 0)
  // The most that 6 directions can hold: the largest eigenvalues of the outputs' second moment.
  const outputs = new Float64Array(shape.tokens * shape.rows)
  const difference = Float32Array.from(
    { length: shape.rows * shape.cols },
    (_, i) => rowOf(Math.floor(i / shape.cols))[i % shape.cols],
  )
  dotProducts(x, difference, shape.cols, outputs)
  const moment = new Float64Array(shape.rows ** 2)
  for (let t = 0; t < outputs.length; t += shape.rows)
    moment.forEach((_, i) => {
      moment[i] += outputs[t + Math.floor(i / shape.rows)] * outputs[t + (i % shape.rows)]
    })
  const most = symmetricEigen(moment, shape.rows)
    .values.subarray(0, count)
    .reduce((sum, value) => sum + value)
  expect(held / most).toBeLessThan(1 + 1e-6)
  expect(held / most).toBeGreaterThan(0.995)
})

test('the scale leaves no bias on the tokens that were fitted to', async () => {
  const { rowOf, x } = synthetic(createNormals(1008), { ...shape, tokens: 800, decay: 0.3 })
  const errors = await errorNorms(shape.rows, shape.cols, rowOf, x)
  const { matrix } = await createSketch(shape.rows, shape.cols, rowOf, { x, errors }, { seed: 1, k: 4, principal: 4 })
  const fitted = 600
  const estimates = projectedNorms(matrix, x.subarray(0, fitted * shape.cols))
  expect(fitScale(estimates, errors.subarray(0, fitted))).toBeCloseTo(1, 5)
})

test('the split follows the formula of its comment', () => {
  // All energy in the first direction: one row is enough, the rest would estimate nothing.
  expect(bestSplit(Float64Array.of(2, 0, 0, 3, 0, 0), Float32Array.of(2, 3), 3)).toBe(1)
  // None in any direction: all rows are random.
  expect(bestSplit(new Float64Array(6), Float32Array.of(2, 3), 3)).toBe(0)
})

test('equal precisions, arguments and aborts', async () => {
  const { x, rowOf } = synthetic(createNormals(1006), { ...shape, tokens: 40 })
  const zero = new Float32Array(shape.cols)
  const none = { x, errors: new Float32Array(40) }
  const { matrix } = await createSketch(shape.rows, shape.cols, () => zero, none, { seed: 1 })
  expect(matrix.data.every((value) => value === 0)).toBe(true)
  const make = (options: object) => createSketch(shape.rows, shape.cols, rowOf, none, { seed: 1, ...options })
  await expect(make({ k: 0 })).rejects.toThrow(/k: expected/)
  await expect(make({ principal: 65 })).rejects.toThrow(/principal: expected 0 to 64/)
  await expect(make({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  const short = { x: x.subarray(1), errors: none.errors }
  await expect(createSketch(shape.rows, shape.cols, rowOf, short, { seed: 1 })).rejects.toThrow(/tokens.x: expected \[40, 48\]/)
})
