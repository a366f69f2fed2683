import { DpllmError, type StepResult, staticPolicy } from '@dpllm/core'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createCudaBackend } from '../src/index.js'
import { loadAddon } from '../src/load-addon.js'
import { hasHostAddon, useHostAddon } from './host-addon.js'
import { forkingPolicy, twoBlocks } from './two-blocks.js'

const model = twoBlocks(true)
const policy = forkingPolicy(model.program)

/** Every call that programs, caches and steps make, with the name that errors have for it. */
const calls = [
  'cudaGetDeviceCount',
  'cudaGetDeviceProperties',
  'cudaSetDevice',
  'cudaMalloc',
  'cudaMallocHost',
  'cudaMemcpy',
  'cudaMemcpyAsync',
  'cudaMemsetAsync',
  'cudaStreamCreateWithFlags',
  'cudaStreamSynchronize',
  'cudaStreamWaitEvent',
  'cudaStreamBeginCapture',
  'cudaStreamEndCapture',
  'cudaEventCreateWithFlags',
  'cudaEventRecord',
  'cudaGraphInstantiate',
  'cudaGraphLaunch',
  'launch',
]

/** Does everything once, and again what fails: a fault happens once. */
async function session(errors: unknown[]): Promise<StepResult[]> {
  const insist = async <Result>(task: () => Result | Promise<Result>): Promise<Result> => {
    try {
      return await task()
    } catch (error) {
      errors.push(error)
      return await task()
    }
  }
  await using backend = await insist(() => createCudaBackend({ graphs: true }))
  await using compiled = await insist(() => backend.compile(model.program, model.weights))
  using cache = await insist(() => compiled.createCache(8))
  const results = []
  for (let position = 0; position < 4; position++) {
    const step = { tokens: Uint32Array.of(position + 7), position, cache, policy }
    results.push(await insist(() => compiled.run(step)))
  }
  return results
}

describe.skipIf(!hasHostAddon)('calls of the CUDA runtime that fail', () => {
  beforeAll(useHostAddon)
  afterEach(() => {
    delete process.env.DPLLM_SIMT_FAIL
  })

  test.each(calls)('%s: a typed error that names it; the next try succeeds and nothing leaks', async (call) => {
    const { addon } = loadAddon()
    const before = addon.allocatedBytes()
    const wanted = await session([])
    let failures = 0
    let clean = 0
    // The first calls one by one, then ever fewer of them, until no session makes so many. What only frees memory tells nobody.
    for (let n = 1; clean < 4; n += 1 + Math.floor(n / 8)) {
      process.env.DPLLM_SIMT_FAIL = `${call}:${n}`
      const errors: unknown[] = []
      const found = await session(errors)
      delete process.env.DPLLM_SIMT_FAIL
      expect(found).toEqual(wanted)
      expect(addon.allocatedBytes()).toBe(before)
      clean = errors.length === 0 ? clean + 1 : 0
      if (errors.length === 0) continue
      failures++
      expect(errors).toHaveLength(1)
      const [error] = errors as Error[]
      expect(error).toBeInstanceOf(DpllmError)
      const cause = error.cause instanceof Error ? error.cause.message : ''
      expect(`${error.message} ${cause}`, `${call}:${n}`).toMatch(new RegExp(`${call}.*: .+ \\(cudaError\\w+\\)`))
    }
    expect(failures).toBeGreaterThan(0)
  })
})

describe.skipIf(!hasHostAddon)('several devices', () => {
  beforeAll(useHostAddon)
  afterEach(() => {
    delete process.env.DPLLM_SIMT_DEVICES
    delete process.env.DPLLM_SIMT_MEMORY
  })

  // The shim refuses kernels and events in a stream of another device than the calling thread's.
  test('each by its index, at the same time', async () => {
    process.env.DPLLM_SIMT_DEVICES = '3'
    expect(() => createCudaBackend({ device: 3 })).toThrow(/no device 3; this machine has 3/)
    const run = async (device: number) => {
      await using backend = createCudaBackend({ device, graphs: true })
      await using compiled = await backend.compile(model.program, model.weights)
      using cache = compiled.createCache(8)
      const results = []
      for (let position = 0; position < 4; position++)
        results.push(await compiled.run({ tokens: Uint32Array.of(position), position, cache, policy }))
      return results
    }
    const [first, second, third] = await Promise.all([run(0), run(2), run(1)])
    expect(second).toEqual(first)
    expect(third).toEqual(first)
  })

  test('the memory of one does not count for another', async () => {
    const { addon } = loadAddon()
    process.env.DPLLM_SIMT_DEVICES = '2'
    await using first = createCudaBackend({ device: 0 })
    const before = addon.allocatedBytes()
    await first.compile(model.program, model.weights)
    const used = addon.allocatedBytes() - before
    process.env.DPLLM_SIMT_MEMORY = String(Math.ceil(1.5 * used))
    await expect(first.compile(model.program, model.weights)).rejects.toThrow(/cudaMalloc of \d+ bytes: out of memory/)
    await using second = createCudaBackend({ device: 1 })
    const compiled = await second.compile(model.program, model.weights)
    using cache = compiled.createCache(4)
    const step = { tokens: Uint32Array.of(1), position: 0, cache, policy: staticPolicy(Array(14).fill(5)) }
    expect((await compiled.run(step)).outputs.logits.every(Number.isFinite)).toBe(true)
  })
})
