import {
  BackendUnavailableError,
  createReferenceBackend,
  type Estimator,
  InvalidArgumentError,
  pairThresholds,
  type Step,
  staticPolicy,
  type Tensor,
  truncateBits,
  UnsupportedError,
} from '@dpllm/core'
import { relativeError, testProgram } from '@dpllm/core/testing'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type CudaBackendOptions, createCudaBackend } from '../src/index.js'
import { loadAddon } from '../src/load-addon.js'
import { hasHostAddon, useHostAddon } from './host-addon.js'

const { program, weights } = testProgram()
const tokens = (...ids: number[]) => Uint32Array.from(ids)

async function open(options: CudaBackendOptions = {}) {
  const backend = createCudaBackend(options)
  const compiled = await backend.compile(program, weights)
  return { backend, compiled, cache: compiled.createCache(64), [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose]() }
}

describe.skipIf(!hasHostAddon)('the backend, kernels on the host', () => {
  beforeAll(useHostAddon)
  afterEach(() => {
    delete process.env.DPLLM_SIMT_MEMORY
  })

  test('steps that are asked for at once run in order and see what the earlier ones cached', async () => {
    await using cuda = await open({ cache: 'f32' })
    const reference = await createReferenceBackend().compile(program, weights)
    const cache = reference.createCache(64)
    const outputs = ['logits', 'loss']
    const steps = [0, 1, 2, 3].map((position) => ({ tokens: tokens(position + 5), position, targets: tokens(7), outputs }))
    const found = await Promise.all(steps.map((step) => cuda.compiled.run({ ...step, cache: cuda.cache })))
    for (const [i, step] of steps.entries()) {
      const wanted = await reference.run({ ...step, cache })
      for (const name of outputs) expect(relativeError(found[i].outputs[name], wanted.outputs[name])).toBeLessThan(1e-5)
    }
  })

  test('the event loop runs while a step does', async () => {
    await using cuda = await open()
    const rows = Uint32Array.from({ length: 48 }, (_, i) => i)
    let done = false
    const result = cuda.compiled.run({ tokens: rows, rows, position: 0, cache: cuda.cache }).then(() => {
      done = true
    })
    let turns = 0
    while (!done) {
      turns++
      await new Promise((resolve) => setImmediate(resolve))
    }
    await result
    expect(turns).toBeGreaterThan(10)
  })

  // Each token is at another position, with other thresholds that turn its decision: all of it is read from device memory.
  test('steps as one graph compute the same', async () => {
    const estimators: Estimator[] = [{ kind: 'exact', low: 3, high: 6 }]
    const results = []
    for (const graphs of [false, true]) {
      await using cuda = await open({ graphs })
      const run = async (step: Partial<Step>) => {
        const { outputs, bits, estimates } = await cuda.compiled.run({
          tokens: tokens(1),
          position: 0,
          cache: cuda.cache,
          ...step,
        })
        return { outputs, bits, estimates }
      }
      const found = [await run({ tokens: tokens(3, 1, 4, 1, 5) })]
      for (let position = 5; position < 11; position++) {
        const thresholds = pairThresholds(3, 6, position % 2 === 0 ? 0 : Number.POSITIVE_INFINITY)
        found.push(await run({ tokens: tokens(position * 3), position, policy: { estimators, thresholds } }))
      }
      // Another policy, a larger step and another cache: what was recorded is not right for them.
      for (let position = 11; position < 14; position++) found.push(await run({ position, policy: staticPolicy([5]) }))
      for (let i = 0; i < 3; i++) found.push(await run({ tokens: tokens(9, 8, 7), position: 14 + 3 * i }))
      using other = cuda.compiled.createCache(8)
      for (let position = 0; position < 3; position++) found.push(await run({ position, cache: other }))
      results.push(found)
    }
    expect(results[1]).toEqual(results[0])
    expect(results[1].slice(1, 7).map(({ bits }) => bits[0])).toEqual([3, 6, 3, 6, 3, 6])
  })

  test('device memory is given back', async () => {
    const { addon } = loadAddon()
    const before = addon.allocatedBytes()
    const backend = createCudaBackend()
    const compiled = await backend.compile(program, weights)
    const loaded = addon.allocatedBytes()
    const planes = 64 * 64 // 8 bits
    const tables = 64 * (2 ** 9 - 2 ** 3) * 2
    expect(loaded - before).toBeGreaterThan(planes + tables)
    const cache = compiled.createCache(64)
    expect(addon.allocatedBytes() - loaded).toBe(64 * 2 * 32 * 2) // keys and values of 32 f16 each
    await compiled.run({ tokens: tokens(1), position: 0, cache, policy: staticPolicy([3]) })
    await backend[Symbol.asyncDispose]()
    expect(addon.allocatedBytes()).toBe(before)
    cache[Symbol.dispose]()
    await expect(compiled.run({ tokens: tokens(1), position: 0, cache })).rejects.toThrow(BackendUnavailableError)
    await expect(backend.compile(program, weights)).rejects.toThrow(BackendUnavailableError)
  })

  test('only the planes and tables that are loaded take memory', async () => {
    const { addon } = loadAddon()
    const sizes = []
    for (const maxBits of [8, 4]) {
      const { weights: all } = testProgram()
      const wq = all.get('wq')!
      if (!('planes' in wq)) throw new Error('bit-planes expected')
      await using backend = createCudaBackend()
      const before = addon.allocatedBytes()
      await backend.compile(program, new Map([...all, ['wq', truncateBits(wq, maxBits)]]))
      sizes.push(addon.allocatedBytes() - before)
    }
    // Tiles of 16 x 256: 64 x 64 are 4.
    expect(sizes[0] - sizes[1]).toBe(4 * 4 * 512 + 64 * (32 + 64 + 128 + 256) * 2)
  })

  test('out of memory is an error that names the call, and leaves the backend usable', async () => {
    const { addon } = loadAddon()
    const before = addon.allocatedBytes()
    await using backend = createCudaBackend()
    process.env.DPLLM_SIMT_MEMORY = String(before + 50_000)
    const failure = backend.compile(program, weights)
    await expect(failure).rejects.toThrow(BackendUnavailableError)
    await expect(failure).rejects.toThrow(/weights.*cudaMalloc of \d+ bytes: out of memory \(cudaErrorMemoryAllocation\)/)
    expect(addon.allocatedBytes()).toBe(before)

    delete process.env.DPLLM_SIMT_MEMORY
    const compiled = await backend.compile(program, weights)
    const cache = compiled.createCache(64)
    const step = { tokens: tokens(4, 2), position: 0, cache }
    process.env.DPLLM_SIMT_MEMORY = String(addon.allocatedBytes())
    expect(() => compiled.createCache(1 << 20)).toThrow(InvalidArgumentError)
    await expect(compiled.run(step)).rejects.toThrow(/a step failed: cudaMalloc of \d+ bytes/)
    delete process.env.DPLLM_SIMT_MEMORY
    expect((await compiled.run(step)).outputs.logits.every(Number.isFinite)).toBe(true)
  })

  test('changed weights are copied anew', async () => {
    const mine = testProgram()
    const norm = mine.weights.get('norm.weight') as Tensor<'f32'>
    await using backend = createCudaBackend()
    const compiled = await backend.compile(mine.program, mine.weights)
    const cache = compiled.createCache(8)
    const run = async () => (await compiled.run({ tokens: tokens(2), position: 0, cache, outputs: ['norm'] })).outputs.norm
    const before = await run()
    norm.data.fill(0)
    expect(await run()).toEqual(before)
    await compiled.updateWeights(['norm.weight'])
    expect((await run()).every((v) => v === 0)).toBe(true)
    await expect(compiled.updateWeights(['nothing'])).rejects.toThrow(InvalidArgumentError)
  })

  test('what makes no sense, or cannot be done, is refused', async () => {
    expect(() => createCudaBackend({ device: 1 })).toThrow(/no device 1; this machine has 1/)
    expect(() => createCudaBackend({ device: -1 })).toThrow(InvalidArgumentError)
    expect(() => createCudaBackend({ cache: 'bf16' as 'f16' })).toThrow(InvalidArgumentError)
    await using cuda = await open()
    await using other = await open()
    const step = { tokens: tokens(1), position: 0, cache: cuda.cache }
    await expect(other.compiled.run(step)).rejects.toThrow(/a cache that this program made/)
    await expect(cuda.compiled.run({ ...step, outputs: ['bits'] })).rejects.toThrow(InvalidArgumentError)
    await expect(cuda.compiled.run({ ...step, tokens: tokens(50) })).rejects.toThrow(/ids below 50/)
    const operators = program.operators.map((op) =>
      op.kind === 'attention' ? { ...op, heads: 1, kvHeads: 1, headDim: 512 } : op,
    )
    const wide = Object.fromEntries(
      ['qr', 'kr', 'v', 'attended'].map((name) => [name, { dtype: 'f32', shape: ['T', 512] } as const]),
    )
    const attentionOnly = {
      values: { ...program.values, ...wide },
      operators: operators.filter((op) => op.kind === 'attention'),
      inputs: ['qr', 'kr', 'v'],
      caches: [{ width: 512 }],
    }
    await expect(cuda.backend.compile(attentionOnly, new Map())).rejects.toThrow(UnsupportedError)
  })
})
