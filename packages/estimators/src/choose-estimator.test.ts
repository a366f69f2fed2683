import { expect, test } from 'vitest'
import { synthetic } from '../scripts/synthetic.mjs'
import { chooseEstimator } from './choose-estimator.js'
import { errorNorms } from './error-norms.js'
import { inputNorms } from './input-norms.js'
import { createNormals } from './normals.js'

const [rows, cols, tokens] = [40, 32, 600]

async function linear(spread: number, decay = 0.7) {
  const data = synthetic(createNormals(1003), { rows, cols, tokens, spread, decay })
  return { rowOf: data.rowOf, tokens: { x: data.x, errors: await errorNorms(rows, cols, data.rowOf, data.x) } }
}

test('a linear fit is taken from R² 0.9 on, and nothing else made', async () => {
  const { rowOf, tokens } = await linear(1)
  const chosen = await chooseEstimator(rows, cols, rowOf, tokens, { seed: 1, k: 8 })
  expect(chosen.linearR2).toBeGreaterThan(0.9)
  expect(chosen.candidate).toBe('linear')
  expect(Object.keys(chosen.accuracy)).toEqual(['linear'])
  // It is the fit to all tokens: residuals are orthogonal to 1 and to the norms.
  const { estimator } = chosen
  if (estimator.kind !== 'linear') throw new Error('not linear')
  const norms = inputNorms(tokens.x, cols)
  const residuals = tokens.errors.map((e, t) => e - estimator.slope * norms[t] - estimator.intercept)
  expect(Math.abs(residuals.reduce((sum, r) => sum + r, 0))).toBeLessThan(1e-3)
  expect(Math.abs(residuals.reduce((sum, r, t) => sum + r * norms[t], 0))).toBeLessThan(1e-3)
})

test('the border is the one asked for', async () => {
  const { rowOf, tokens } = await linear(0.25)
  const at = (linearR2: number) =>
    chooseEstimator(rows, cols, rowOf, tokens, { seed: 1, k: 8, linearR2, candidates: ['projection'], tuneSteps: 4 })
  const { linearR2 } = await at(1)
  expect(linearR2).toBeGreaterThan(0.2)
  expect(linearR2).toBeLessThan(0.95)
  expect((await at(linearR2)).candidate).toBe('linear')
  expect((await at(linearR2 + 1e-9)).candidate).toBe('projection')
})

test('else the candidate that orders held-out tokens best', async () => {
  const { rowOf, tokens } = await linear(0)
  const chosen = await chooseEstimator(rows, cols, rowOf, tokens, { seed: 1, k: 8 })
  const found = Object.entries(chosen.accuracy)
  expect(found.map(([name]) => name)).toEqual(['linear', 'projection', 'sketch'])
  const best = found.reduce((a, b) => (b[1].r2 > a[1].r2 ? b : a))
  expect(chosen.candidate).toBe(best[0])
  expect(chosen.candidate).not.toBe('linear')
  expect(chosen.estimator).toMatchObject({ kind: 'projection', matrix: { shape: [8, cols] } })
  expect(await chooseEstimator(rows, cols, rowOf, tokens, { seed: 1, k: 8 })).toEqual(chosen)
})

test('as published: a tuned random projection and nothing else', async () => {
  const { rowOf, tokens } = await linear(0)
  const { candidate, accuracy } = await chooseEstimator(rows, cols, rowOf, tokens, { seed: 1, k: 8, candidates: ['projection'] })
  expect(candidate).toBe('projection')
  expect(Object.keys(accuracy)).toEqual(['projection'])
  await expect(chooseEstimator(rows, cols, rowOf, tokens, { seed: 1, candidates: [] })).rejects.toThrow(/at least one/)
})
