import {
  BackendUnavailableError,
  createReferenceBackend,
  type Estimator,
  InvalidArgumentError,
  pairThresholds,
  staticPolicy,
  type Tensor,
} from '@dpllm/core'
import { relativeError, testProgram } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { createCpuBackend, probeCpu } from '../src/index.js'

const { program, weights } = testProgram()
const tokens = (...ids: number[]) => Uint32Array.from(ids)

describe.skipIf(!probeCpu().ok)('steps', () => {
  const open = async (options = {}) => {
    const backend = createCpuBackend({ threads: 2, arithmetic: 'precise', ...options })
    const compiled = await backend.compile(program, weights)
    return {
      backend,
      compiled,
      cache: compiled.createCache(64),
      async [Symbol.asyncDispose]() {
        await backend[Symbol.asyncDispose]()
      },
    }
  }

  test('steps that are asked for at once run in order and see what the earlier ones cached', async () => {
    await using cpu = await open()
    const reference = await createReferenceBackend().compile(program, weights)
    const cache = reference.createCache(64)
    const steps = [0, 1, 2, 3].map((position) => ({
      tokens: tokens(position + 5),
      position,
      targets: tokens(7),
      outputs: ['logits', 'loss'],
    }))
    const found = await Promise.all(steps.map((step) => cpu.compiled.run({ ...step, cache: cpu.cache })))
    for (const [i, step] of steps.entries()) {
      const wanted = await reference.run({ ...step, cache })
      for (const name of ['logits', 'loss'])
        expect(relativeError(found[i].outputs[name], wanted.outputs[name])).toBeLessThan(1e-3)
    }
  })

  test('the event loop runs while a step does', async () => {
    const wide = testProgram(1024, 8192)
    await using backend = createCpuBackend({ threads: 1, instructions: 'generic' })
    const compiled = await backend.compile(wide.program, wide.weights)
    const rows = Uint32Array.from({ length: 256 }, (_, i) => i)
    let done = false
    const result = compiled.run({ tokens: rows, rows, position: 0, cache: compiled.createCache(256) }).then(() => (done = true))
    let turns = 0
    while (!done) {
      turns++
      await new Promise((resolve) => setImmediate(resolve))
    }
    await result
    expect(turns).toBeGreaterThan(10)
  })

  test('an abort is seen before a step starts', async () => {
    await using cpu = await open()
    const controller = new AbortController()
    const first = cpu.compiled.run({ tokens: tokens(1), position: 0, cache: cpu.cache, signal: controller.signal })
    const second = cpu.compiled.run({ tokens: tokens(2), position: 1, cache: cpu.cache, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(Promise.all([first, second])).rejects.toThrow('enough')
    // The queue goes on.
    await cpu.compiled.run({ tokens: tokens(1), position: 0, cache: cpu.cache })
  })

  test('thresholds are read anew at each step', async () => {
    await using cpu = await open()
    const thresholds = pairThresholds(3, 6, Number.POSITIVE_INFINITY)
    const policy = { estimators: [{ kind: 'exact', low: 3, high: 6 }], thresholds } as const
    const run = () => cpu.compiled.run({ tokens: tokens(1, 2, 3), position: 0, cache: cpu.cache, policy })
    const low = await run()
    expect([...low.bits]).toEqual([3, 3, 3])
    const sorted = [...low.estimates].sort((a, b) => a - b)
    thresholds.set(pairThresholds(3, 6, sorted[1]))
    expect([...(await run()).bits]).toEqual([...low.estimates].map((e) => (e <= sorted[1] ? 3 : 6)))
  })

  test('a NaN in the input is a NaN in the output, and the most bits', async () => {
    const broken = new Map(weights)
    const table = weights.get('embedding') as Tensor<'f32'>
    const data = table.data.slice()
    data[3 * 64] = Number.NaN
    data[4 * 64] = Number.POSITIVE_INFINITY
    broken.set('embedding', { dtype: 'f32', shape: table.shape, data })
    for (const length of [1, 6]) {
      await using backend = createCpuBackend({ threads: 1 })
      const compiled = await backend.compile(program, broken)
      for (const [token, bits] of [
        [1, 3],
        [3, 8],
        [4, 8],
      ]) {
        const policy = { estimators: [{ kind: 'exact', low: 3, high: 8 }], thresholds: pairThresholds(3, 8, 1e30) } as const
        const result = await compiled.run({
          tokens: new Uint32Array(length).fill(token),
          position: 0,
          cache: compiled.createCache(8),
          outputs: ['q'],
          policy,
        })
        expect(result.outputs.q.every((v) => !Number.isFinite(v))).toBe(token !== 1)
        expect(result.bits[0]).toBe(bits)
      }
    }
  })

  test('outputs may be any values, and nothing else is computed', async () => {
    await using cpu = await open()
    const result = await cpu.compiled.run({
      tokens: tokens(1, 2),
      position: 0,
      cache: cpu.cache,
      outputs: ['x', 'estimate', 'attended'],
      policy: staticPolicy([4]),
    })
    expect(Object.entries(result.outputs).map(([name, v]) => [name, v.length])).toEqual([
      ['x', 128],
      ['estimate', 2],
      ['attended', 128],
    ])
    expect([...result.bits]).toEqual([4, 4])
    const none = await cpu.compiled.run({ tokens: tokens(1), position: 0, cache: cpu.cache, outputs: [] })
    expect(none.outputs).toEqual({})
  })

  test('what a step cannot do is said before anything runs', async () => {
    await using cpu = await open()
    const { cache } = cpu
    const step = { tokens: tokens(1), position: 0, cache }
    const probe = (width: number): Estimator => {
      return { kind: 'probe', weights: { dtype: 'f32', shape: [width], data: new Float32Array(width) }, bias: -1 }
    }
    const bad = [
      { ...step, outputs: ['nothing'] },
      { ...step, outputs: ['tokens'] },
      { ...step, outputs: ['bits'] },
      { ...step, outputs: ['loss'] },
      { ...step, outputs: ['loss'], targets: tokens(50) },
      { ...step, tokens: tokens(50) },
      { ...step, position: 64 },
      { ...step, rows: tokens(1) },
      { ...step, policy: staticPolicy([3, 3]) },
      { ...step, policy: { estimators: [{ kind: 'exact', low: 2, high: 3 }], thresholds: pairThresholds(3, 4, 0) } as const },
      { ...step, policy: { estimators: [probe(63)], thresholds: pairThresholds(3, 4, 0) } },
      { ...step, cache: (await cpu.backend.compile(program, weights)).createCache(64) },
    ]
    for (const b of bad) await expect(cpu.compiled.run(b)).rejects.toThrow(InvalidArgumentError)
    const fits = { estimators: [probe(64)], thresholds: pairThresholds(3, 4, 0) }
    expect([...(await cpu.compiled.run({ ...step, policy: fits })).estimates]).toEqual([-1])
    cache[Symbol.dispose]()
    cache[Symbol.dispose]()
    await expect(cpu.compiled.run(step)).rejects.toThrow(InvalidArgumentError)
    expect(() => cpu.compiled.createCache(0)).toThrow(InvalidArgumentError)
  })

  test('disposing while steps are under way ends them', async () => {
    const cpu = await open()
    const runs = Array.from({ length: 8 }, () =>
      cpu.compiled.run({ tokens: tokens(...Array(60).keys()).map((t) => t % 50), position: 0, cache: cpu.cache }),
    )
    const settled = Promise.allSettled(runs)
    await new Promise((resolve) => setImmediate(resolve))
    await cpu.backend[Symbol.asyncDispose]()
    for (const result of await settled)
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(BackendUnavailableError)
    await expect(cpu.backend.compile(program, weights)).rejects.toThrow(BackendUnavailableError)
    await expect(cpu.compiled.run({ tokens: tokens(1), position: 0, cache: cpu.cache })).rejects.toThrow(BackendUnavailableError)
    await cpu.compiled[Symbol.asyncDispose]()
    await cpu.backend[Symbol.asyncDispose]()
  })

  test('many backends come and go', async () => {
    for (let i = 0; i < 20; i++) {
      await using cpu = await open({ threads: 1 + (i % 3) })
      await cpu.compiled.run({ tokens: tokens(i), position: 0, cache: cpu.cache })
    }
  })
})
