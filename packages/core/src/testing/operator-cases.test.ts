import { expect, test } from 'vitest'
import type { Operator } from '../program/operators.js'
import { createReferenceBackend } from '../reference/backend.js'
import { compileReference } from '../reference/compiled-program.js'
import { operatorCases, relativeError, runCase } from './index.js'

const cases = operatorCases()

test('every operator has cases, all of names of their own', () => {
  const kinds = new Set(cases.flatMap((c) => c.program.operators.map((op) => op.kind)))
  const wanted: Record<Operator['kind'], true> = {
    embed: true,
    rmsNorm: true,
    linear: true,
    select: true,
    rope: true,
    attention: true,
    gate: true,
    add: true,
    split: true,
    take: true,
    crossEntropy: true,
    linearTransposed: true,
    rmsNormGradient: true,
    attentionGradient: true,
    gateGradient: true,
    concat: true,
    put: true,
    crossEntropyGradient: true,
    klDivergence: true,
    klDivergenceGradient: true,
    accumulate: true,
    accumulateTables: true,
    mixedLinear: true,
    mixedLinearTransposed: true,
    bitsGradient: true,
    tokenErrors: true,
  }
  for (const kind of Object.keys(wanted)) expect([...kinds]).toContain(kind)
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
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
