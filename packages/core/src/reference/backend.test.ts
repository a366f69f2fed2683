import { expect, test } from 'vitest'
import { InvalidArgumentError } from '../errors.js'
import type { Program } from '../program/program.js'
import { operatorCases, randomBitPlanes, relativeError, runCase } from '../testing/index.js'
import { createReferenceBackend } from './backend.js'

const cases = operatorCases()

// The reference is what other backends are tested against; here it is only shown to run every case, reproducibly.
test('every operator case runs, and runs the same twice', async () => {
  const backend = createReferenceBackend()
  for (const c of cases) {
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
  const [c] = cases
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

test('weights whose data has changed are read anew once that is said', async () => {
  const program: Program = {
    values: { x: { dtype: 'f32', shape: ['T', 5] }, y: { dtype: 'f32', shape: ['T', 4] } },
    operators: [{ kind: 'linear', x: 'x', weight: 'w', out: 'y' }],
    caches: [],
    inputs: ['x'],
  }
  const w = randomBitPlanes(1, 4, 5)
  const unused = randomBitPlanes(2, 4, 5)
  await using compiled = await createReferenceBackend().compile(program, new Map(Object.entries({ w, unused })))
  using cache = compiled.createCache(1)
  const run = async () => {
    const step = { tokens: new Uint32Array(1), position: 0, inputs: { x: Float32Array.of(1, -2, 3, 0, 1) }, outputs: ['y'] }
    return (await compiled.run({ ...step, cache })).outputs.y
  }
  const before = await run()
  // The sign bit of every half.
  for (const lut of w.luts) for (let i = 0; i < lut.length; i++) lut[i] ^= 0x8000
  await compiled.updateWeights(['w'])
  expect(await run()).toEqual(before.map((y) => -y))
  await expect(compiled.updateWeights(['w', 'unused'])).rejects.toThrow(/weights: expected names.*"unused"/)
})
