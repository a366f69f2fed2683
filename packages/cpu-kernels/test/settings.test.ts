import { BackendUnavailableError, InvalidArgumentError } from '@dpllm/core'
import { afterEach, expect, test, vi } from 'vitest'
import { createCpuBackend, probeCpu } from '../src/index.js'
import { resolveSettings } from '../src/settings.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('options win over the environment, which wins over defaults', () => {
  expect(resolveSettings({}, { DPLLM_THREADS: '3', DPLLM_CPU_INSTRUCTIONS: 'generic' })).toEqual({
    threads: 3,
    instructions: 'generic',
    arithmetic: 'fast',
    cache: 'f32',
  })
  expect(
    resolveSettings({ threads: 5, instructions: 'avx2' }, { DPLLM_THREADS: '3', DPLLM_CPU_INSTRUCTIONS: 'generic' }),
  ).toMatchObject({
    threads: 5,
    instructions: 'avx2',
  })
  expect(resolveSettings({}, {}).threads).toBeGreaterThan(0)
})

test('settings that make no sense are refused, naming where they came from', () => {
  for (const threads of [0, -1, 1.5, Number.NaN, 2000]) expect(() => resolveSettings({ threads })).toThrow(InvalidArgumentError)
  expect(() => resolveSettings({}, { DPLLM_THREADS: 'many' })).toThrow(/DPLLM_THREADS/)
  expect(() => resolveSettings({}, { DPLLM_CPU_INSTRUCTIONS: 'sse9' })).toThrow(/DPLLM_CPU_INSTRUCTIONS.*sse9/)
  expect(() => resolveSettings({ arithmetic: 'exact' as 'fast' })).toThrow(/arithmetic/)
})

test('the probe never throws and says why the addon cannot be used', () => {
  vi.stubEnv('DPLLM_CPU_ADDON', 'off')
  expect(probeCpu()).toEqual({ ok: false, reason: expect.stringContaining('DPLLM_CPU_ADDON=off') })
  expect(() => createCpuBackend()).toThrow(BackendUnavailableError)
  vi.stubEnv('DPLLM_CPU_ADDON', '/nowhere/dpllm_cpu.node')
  expect(probeCpu()).toEqual({ ok: false, reason: expect.stringContaining('/nowhere/dpllm_cpu.node') })
  vi.stubEnv('DPLLM_CPU_ADDON', '')
  vi.stubEnv('DPLLM_THREADS', 'x')
  expect(probeCpu().ok).toBe(false)
})

test.skipIf(!probeCpu().ok)('instructions that the machine lacks make the backend unavailable', () => {
  const missing = process.arch === 'arm64' ? 'avx2' : 'neon'
  expect(() => createCpuBackend({ instructions: missing })).toThrow(BackendUnavailableError)
  vi.stubEnv('DPLLM_CPU_INSTRUCTIONS', missing)
  expect(probeCpu()).toEqual({ ok: false, reason: expect.stringContaining(missing) })
})
