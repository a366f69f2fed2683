import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { probeCpu, readMemory } from '../src/index.js'

test.skipIf(!probeCpu().ok)('reads arrays of any length and place on any number of threads', async () => {
  const bytes = new Uint8Array(100_003).fill(7)
  for (const threads of [1, 2, availableParallelism() + 1]) {
    const milliseconds = await readMemory([bytes.subarray(1), bytes.subarray(0, 0), bytes.subarray(3, 4)], threads)
    expect(milliseconds).toBeGreaterThan(0)
    expect(milliseconds).toBeLessThan(10_000)
  }
  // Nothing at all to read is done at once.
  expect(await readMemory([], 2)).toBeLessThan(10_000)
})

test('threads that no machine has are refused', async () => {
  await expect(readMemory([], 0)).rejects.toThrow(InvalidArgumentError)
  await expect(readMemory([], 2.5)).rejects.toThrow(/threads/)
})
