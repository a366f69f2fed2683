import { expect, test } from 'vitest'
import { operatorCases, relativeError, runCase } from '../testing/index.js'
import { createReferenceBackend } from './backend.js'

// The reference is what other backends are tested against; here it is only shown to run every case, reproducibly.
test('every operator case runs, and runs the same twice', async () => {
  const backend = createReferenceBackend()
  for (const c of operatorCases()) {
    const [a, b] = [await runCase(backend, c), await runCase(backend, c)]
    a.forEach((result, step) => {
      for (const [name, values] of Object.entries(result.outputs)) {
        expect(values.every(Number.isFinite), `${c.name} ${name}`).toBe(true)
        expect(relativeError(b[step].outputs[name], values), `${c.name} ${name}`).toBe(0)
      }
      expect(b[step].bits).toEqual(result.bits)
    })
  }
})
