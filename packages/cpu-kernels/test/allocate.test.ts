import { randomBitPlanes, testProgram } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { allocate, createCpuBackend, probeCpu } from '../src/index.js'

test.each([0, 100, 2 ** 20, 2 ** 21 + 1, 5_000_000])('%d bytes that can be written and read from end to end', (bytes) => {
  const array = new Uint8Array(allocate(bytes)).fill(7)
  expect(array.length).toBe(bytes)
  expect(array.every((byte) => byte === 7)).toBe(true)
})

test('more memory than there is', () => {
  expect(() => allocate(2 ** 52)).toThrow(RangeError)
})

test('without the addon the buffers are ordinary ones', () => {
  const { DPLLM_CPU_ADDON } = process.env
  process.env.DPLLM_CPU_ADDON = 'off'
  try {
    expect(allocate(2 ** 21)).toEqual(new ArrayBuffer(2 ** 21))
  } finally {
    if (DPLLM_CPU_ADDON === undefined) delete process.env.DPLLM_CPU_ADDON
    else process.env.DPLLM_CPU_ADDON = DPLLM_CPU_ADDON
  }
})

describe.skipIf(!probeCpu().ok)('as weights', () => {
  test('give the results that other buffers give', async () => {
    const { program, weights } = testProgram(1024)
    const wq = randomBitPlanes(1, 1024, 1024)
    const planes = new Uint32Array(allocate(wq.planes.byteLength))
    planes.set(wq.planes)
    const logits = []
    for (const weight of [wq, { ...wq, planes }]) {
      await using backend = createCpuBackend({ threads: 2 })
      const compiled = await backend.compile(program, new Map([...weights, ['wq', weight]]))
      using cache = compiled.createCache(4)
      logits.push((await compiled.run({ tokens: Uint32Array.of(3, 1), position: 0, cache })).outputs['logits'])
    }
    expect(logits[1]).toEqual(logits[0])
  })
})
