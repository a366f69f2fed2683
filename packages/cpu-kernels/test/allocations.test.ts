import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type StepResult, staticPolicy } from '@dpllm/core'
import { testProgram } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { createCpuBackend, probeCpu } from '../src/index.js'
import { sampleAllocations } from './sample-allocations.js'

const STEPS = 500

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes per step that decoding takes on the heap of JavaScript, and in the buffers of arrays. */
async function bytesPerStep(width: number, vocabulary: number, reusing: boolean) {
  await using backend = createCpuBackend({ threads: 2 })
  const { program, weights } = testProgram(width, vocabulary)
  const compiled = await backend.compile(program, weights)
  using cache = compiled.createCache(8)
  const policy = staticPolicy(compiled.selects.map(() => 3))
  const tokens = Uint32Array.of(1)
  let reuse: StepResult | undefined
  // All kept, so that the collector takes none of what is counted.
  const kept: StepResult[] = []
  const decode = async () => {
    for (let i = 0; i < STEPS; i++) {
      const result = await compiled.run({ tokens, position: i % 8, cache, policy, reuse })
      kept.push(result)
      if (reusing) reuse = result
    }
  }
  await decode()
  // What native objects held is let go of by finalizers between collections.
  for (let i = 0; i < 4; i++) {
    collectGarbage()
    await setImmediate()
  }
  const before = process.memoryUsage().arrayBuffers
  const heap = await sampleAllocations(decode)
  return { heap: heap / STEPS, buffers: (process.memoryUsage().arrayBuffers - before) / STEPS, results: new Set(kept).size }
}

describe.skipIf(!probeCpu().ok)('memory that a decode step takes', () => {
  // What remains are promises and what belongs to them: less than a dozen, of at most 200 bytes each. A step's arrays alone would
  // take 4 bytes of each logit.
  test('with a result to reuse it is small, and none of it grows with the model', async () => {
    const small = await bytesPerStep(64, 50, true)
    const large = await bytesPerStep(256, 4000, true)
    expect(small.results).toBe(1)
    for (const { heap, buffers } of [small, large]) {
      expect(heap).toBeLessThan(12 * 200)
      expect(buffers).toBeLessThan(100)
    }
    expect(Math.abs(large.heap - small.heap)).toBeLessThan(250)
  })

  test('without one every step has arrays of its own', async () => {
    const { heap, buffers, results } = await bytesPerStep(64, 4000, false)
    expect(results).toBe(2 * STEPS)
    expect(buffers).toBeGreaterThan(4 * 4000)
    expect(heap).toBeGreaterThan(12 * 200)
  })
})
