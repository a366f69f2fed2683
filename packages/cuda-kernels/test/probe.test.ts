import { spawnSync } from 'node:child_process'
import { BackendUnavailableError } from '@dpllm/core'
import { afterEach, expect, test } from 'vitest'
import { createCudaBackend, probeCuda } from '../src/index.js'
import { hasHostAddon, useHostAddon } from './host-addon.js'

afterEach(() => {
  delete process.env.DPLLM_CUDA_ADDON
})

const hasDriver = spawnSync('nvidia-smi', ['-L']).status === 0

// With an addon and no driver, the message is CUDA's; without an addon, it says where one was looked for.
test.skipIf(hasDriver)('without a driver the probe and the backend say why', () => {
  const probe = probeCuda()
  expect(probe).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/cudaGetDeviceCount: .+\(cudaError\w+\)|local build: /),
  })
  expect(() => createCudaBackend()).toThrow(BackendUnavailableError)
})

test('it can be switched off', () => {
  process.env.DPLLM_CUDA_ADDON = 'off'
  expect(probeCuda()).toMatchObject({ ok: false, reason: expect.stringContaining('DPLLM_CUDA_ADDON=off') })
})

test('an addon that is not there is named', () => {
  process.env.DPLLM_CUDA_ADDON = '/nowhere/dpllm_cuda.node'
  expect(probeCuda()).toMatchObject({
    ok: false,
    reason: expect.stringContaining('DPLLM_CUDA_ADDON=/nowhere/dpllm_cuda.node: not there'),
  })
})

test.skipIf(!hasHostAddon)('the kernels on the host are one device', () => {
  useHostAddon()
  expect(probeCuda()).toMatchObject({ ok: true, devices: [{ computeCapability: '0.0' }] })
})
