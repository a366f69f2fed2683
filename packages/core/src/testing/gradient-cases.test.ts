import { expect, test } from 'vitest'
import { checkProgram } from '../program/check.js'
import type { GradientOperator } from '../program/gradient-operators.js'
import { createReferenceBackend } from '../reference/backend.js'
import { compileReference } from '../reference/compiled-program.js'
import { gradientCases, relativeError, runCase } from './index.js'

const cases = gradientCases()

test('every operator of gradient programs has cases, all well formed', () => {
  const kinds = new Set(cases.flatMap((c) => c.program.operators.map((op) => op.kind)))
  const wanted: Record<GradientOperator['kind'], true> = {
    linearTransposed: true,
    rmsNormGradient: true,
    attentionGradient: true,
    gateGradient: true,
    concat: true,
    put: true,
    crossEntropyGradient: true,
    accumulate: true,
    mixedLinear: true,
    mixedLinearTransposed: true,
    bitsGradient: true,
  }
  for (const kind of Object.keys(wanted)) expect([...kinds]).toContain(kind)
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  for (const c of cases) expect(() => checkProgram(c.program, c.weights), c.name).not.toThrow()
})

test('the reference in f32 is as near to f64 as a backend has to be to the reference', async () => {
  for (const c of cases) {
    const found = await runCase(createReferenceBackend(), c)
    const exact = compileReference(c.program, c.weights, Float64Array)
    using cache = exact.createCache(c.capacity)
    const wanted = c.steps.map((step) => ({ ...exact.run({ ...step, cache }).outputs }))
    Object.assign(wanted[wanted.length - 1], Object.fromEntries(exact.accumulators))
    found.forEach(({ outputs }, step) => {
      expect(Object.keys(outputs), c.name).toEqual(Object.keys(wanted[step]))
      for (const [name, values] of Object.entries(outputs)) {
        expect(relativeError(values, wanted[step][name]), `${c.name} ${name}`).toBeLessThanOrEqual(c.tolerance.f32)
      }
    })
  }
})
