import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorNorms } from './error-norms.js'
import { estimateAccuracy } from './estimate-accuracy.js'
import { inputNorms } from './input-norms.js'
import { fitLinear, linearEstimates } from './linear-fit.js'
import { createNormals } from './normals.js'
import { fitScale } from './scale-fit.js'

test('a linear fit finds the line that errors lie on', () => {
  const finite = { noNaN: true, noDefaultInfinity: true }
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 10, ...finite }), fc.double({ min: -5, max: 5, ...finite }), (slope, intercept) => {
      const norms = Array.from({ length: 20 }, (_, i) => 1 + i * i)
      const fit = fitLinear(
        norms,
        norms.map((norm) => slope * norm + intercept),
      )
      expect(fit.slope).toBeCloseTo(slope, 9)
      expect(fit.intercept).toBeCloseTo(intercept, 9)
      expect(fit.r2).toBeCloseTo(1, 9)
    }),
  )
})

test('a linear fit of scattered points is the least-squares line', () => {
  // By hand: means 3 and 3.4; Sxx = 10, Sxy = 12, Syy = 21.2; R² = 12² / (10 · 21.2).
  const fit = fitLinear([1, 2, 3, 4, 5], [2, 1, 4, 3, 7])
  expect(fit.slope).toBeCloseTo(1.2, 12)
  expect(fit.intercept).toBeCloseTo(-0.2, 12)
  expect(fit.r2).toBeCloseTo(36 / 53, 12)
})

test('norms that are equal but for rounding predict the mean error; equal errors need no estimate', () => {
  const noise = createNormals(1)
  const norms = Float32Array.from({ length: 50 }, () => 3 * (1 + 3e-8 * noise()))
  const errors = Float32Array.from({ length: 50 }, () => 2 + noise() / 10)
  const mean = errors.reduce((sum, e) => sum + e, 0) / 50
  const fit = fitLinear(norms, errors)
  expect(fit).toMatchObject({ slope: 0, r2: 0 })
  expect(fit.intercept).toBeCloseTo(mean, 12)
  expect(linearEstimates(fit, norms)).toEqual(new Float32Array(50).fill(mean))
  expect(fitLinear([1, 2, 3], [5, 5, 5]).r2).toBe(1)
  expect(() => fitLinear([1], [])).toThrow(/norms: expected one for each/)
})

test('norms and true errors are those of the plain sums', async () => {
  const normal = createNormals(2)
  const [rows, cols, tokens] = [37, 5, 6]
  const difference = Float32Array.from({ length: rows * cols }, normal)
  const x = Float32Array.from({ length: tokens * cols }, normal)
  const errors = await errorNorms(rows, cols, (n) => difference.subarray(n * cols, (n + 1) * cols), x)
  const norms = inputNorms(x, cols)
  for (let t = 0; t < tokens; t++) {
    const token = x.subarray(t * cols, (t + 1) * cols)
    const outputs = Array.from({ length: rows }, (_, n) => token.reduce((sum, v, c) => sum + v * difference[n * cols + c], 0))
    expect(errors[t]).toBeCloseTo(Math.hypot(...outputs), 5)
    expect(norms[t]).toBeCloseTo(Math.hypot(...token), 5)
  }
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(errorNorms(rows, cols, () => x.subarray(0, cols), x, { signal })).rejects.toThrow('enough')
  await expect(errorNorms(rows, cols, () => x, x)).rejects.toThrow(/rowOf: expected rows of 5/)
  await expect(errorNorms(rows, 4, () => x, x)).rejects.toThrow(/x: expected \[tokens, 4\]/)
  const seen: number[] = []
  await errorNorms(rows, cols, () => x.subarray(0, cols), x, { onProgress: ({ done }) => seen.push(done) })
  expect(seen).toEqual([32, 37])
})

test('accuracy counts what it says', () => {
  const accuracy = estimateAccuracy([1.1, 2, 2.4, 4, 0], [1, 2, 3, 4, 0])
  expect(accuracy.within15).toBe(3 / 4)
  expect(accuracy.median).toBeCloseTo(0.05, 12)
  expect(accuracy.rootMeanSquare).toBeCloseTo(Math.sqrt((0.01 + 0.36) / 5) / 2, 12)
  expect(estimateAccuracy([2, 4, 6], [1, 2, 3]).r2).toBeCloseTo(1, 12)
})

test('the scale is where the mean square is least', () => {
  const [estimates, errors] = [
    [1, 2, 3, 1],
    [2, 3, 7, 2],
  ]
  const scale = fitScale(estimates, errors)
  const loss = (s: number) => estimates.reduce((sum, e, i) => sum + (s * e - errors[i]) ** 2, 0)
  for (const step of [-1e-3, 1e-3]) expect(loss(scale + step)).toBeGreaterThan(loss(scale))
  expect(fitScale([0, 0], [1, 2])).toBe(1)
})
