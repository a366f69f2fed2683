import { expect, test } from 'vitest'
import { probeCuda } from './probe.js'

test('without an addon the probe says where it looked', () => {
  const probe = probeCuda()
  if (probe.ok) expect(probe.devices).toBeGreaterThan(0)
  else expect(probe.reason).toMatch(/dpllm_cuda\.node|CUDA/)
})
