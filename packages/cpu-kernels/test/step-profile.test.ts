import { emptyProfile } from '@dpllm/core'
import { testProgram } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { createCpuBackend, probeCpu } from '../src/index.js'

describe.skipIf(!probeCpu().ok)('profile', () => {
  test('times of the operators that ran, inside the time of the steps', async () => {
    const profile = emptyProfile()
    await using backend = createCpuBackend({ threads: 2, stepProfile: profile })
    const { program, weights } = testProgram()
    const compiled = await backend.compile(program, weights)
    using cache = compiled.createCache(8)
    for (const position of [0, 1, 2]) await compiled.run({ tokens: Uint32Array.of(1), position, cache })
    const logits = ['add', 'attention', 'embed', 'linear', 'rmsNorm', 'rope', 'select', 'take']
    expect(Object.keys(profile.operators).sort()).toEqual(logits)
    expect(profile.steps).toBe(3)
    const inside = Object.values(profile.operators).reduce((sum, ms) => sum + ms, 0)
    expect(inside).toBeGreaterThan(0)
    expect(inside).toBeLessThan(profile.total)

    await compiled.run({ tokens: Uint32Array.of(1), position: 0, cache, outputs: ['norm'] })
    expect(profile.steps).toBe(4)
    expect(profile.operators['linear']).toBeLessThan(inside)
  })

  test('without one nothing is measured', async () => {
    await using backend = createCpuBackend({ threads: 1 })
    const { program, weights } = testProgram()
    const compiled = await backend.compile(program, weights)
    using cache = compiled.createCache(8)
    await expect(compiled.run({ tokens: Uint32Array.of(1), position: 0, cache })).resolves.toBeDefined()
  })
})
