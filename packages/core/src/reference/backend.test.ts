import { expect, test } from 'vitest'
import { InvalidArgumentError } from '../errors.js'
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

test('timers and events have their turn between steps', async () => {
  const [c] = operatorCases()
  await using compiled = await createReferenceBackend().compile(c.program, c.weights)
  using cache = compiled.createCache(c.capacity)
  let fired = false
  setImmediate(() => {
    fired = true
  })
  for (const step of [...c.steps, ...c.steps]) await compiled.run({ ...step, cache })
  expect(fired).toBe(true)
})

test('a cache that there is no memory for is a typed error', async () => {
  const program = { values: {}, operators: [], caches: [{ width: 2 ** 20 }] }
  await using compiled = await createReferenceBackend().compile(program, new Map())
  expect(() => compiled.createCache(2 ** 40)).toThrow(InvalidArgumentError)
  expect(compiled.createCache(1).capacity).toBe(1)
})
