import { InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { resolveSettings } from '../src/settings.js'

test('defaults, the environment and options, the last of which wins', () => {
  expect(resolveSettings({}, {})).toEqual({ device: 0, cache: 'f16', graphs: false })
  expect(resolveSettings({}, { DPLLM_CUDA_DEVICE: '2' }).device).toBe(2)
  expect(resolveSettings({ device: 1 }, { DPLLM_CUDA_DEVICE: '2' }).device).toBe(1)
  expect(() => resolveSettings({}, { DPLLM_CUDA_DEVICE: 'first' })).toThrow(/DPLLM_CUDA_DEVICE: expected the index of a GPU/)
  expect(() => resolveSettings({ device: 0.5 }, {})).toThrow(InvalidArgumentError)
})
