import { createReferenceBackend, type StepResult } from '@dpllm/core'
import { caseDifferences, operatorCases, relativeError, runCase } from '@dpllm/core/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCudaBackend } from '../src/index.js'
import { hasHostAddon, useHostAddon } from './host-addon.js'

const cases = operatorCases()

/** All that the steps of a case gave: compared at once, where element by element takes seconds. */
function bytesOf(steps: readonly StepResult[]): Buffer {
  const arrays = steps.flatMap(({ outputs, bits, estimates }) => [...Object.values(outputs), bits, estimates])
  return Buffer.concat(arrays.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength)))
}

describe.skipIf(!hasHostAddon)('operator cases, kernels on the host', () => {
  const references: StepResult[][] = []

  beforeAll(async () => {
    useHostAddon()
    const reference = createReferenceBackend()
    for (const c of cases) references.push(await runCase(reference, c))
  })
  afterAll(() => {
    delete process.env.DPLLM_SIMT_REVERSE
    delete process.env.DPLLM_CUDA_PRODUCT
  })

  describe.each([
    ['plain', 'f32'],
    ['tensor', 'tensor'],
  ] as const)('%s products', (products, arithmetic) => {
    const found: StepResult[][] = []
    beforeAll(() => {
      process.env.DPLLM_CUDA_PRODUCT = products
    })

    test(`agree with the reference as ${arithmetic} arithmetic does`, async () => {
      await using backend = createCudaBackend({ cache: 'f32' })
      const differences = []
      for (const [i, c] of cases.entries()) {
        found.push(await runCase(backend, c))
        for (const difference of caseDifferences(c, arithmetic, found[i], references[i]))
          differences.push({ case: c.name, ...difference })
      }
      expect(differences).toEqual([])
    })

    // What depends on the order of threads, because a barrier is missing or an atomic adds floats, differs.
    test('the same when threads run in the opposite order', async () => {
      process.env.DPLLM_SIMT_REVERSE = '1'
      await using backend = createCudaBackend({ cache: 'f32' })
      for (const [i, c] of cases.entries())
        expect(bytesOf(await runCase(backend, c)).equals(bytesOf(found[i])), c.name).toBe(true)
      delete process.env.DPLLM_SIMT_REVERSE
    })
  })

  // Keys and values rounded to 11 bits: a relative error of at most 2^-12 in each value, and in each score of some
  // 2^-12 · |q| |k| scale, about 2^-12, which is the weight's relative error. Twice their sum.
  test('attention with a 16-bit cache', async () => {
    await using backend = createCudaBackend()
    for (const [i, c] of cases.entries()) {
      if (!c.name.startsWith('attention ')) continue
      const steps = await runCase(backend, c)
      steps.forEach((result, step) => {
        expect(relativeError(result.outputs.y, references[i][step].outputs.y), c.name).toBeLessThan(2 ** -10)
      })
    }
  })
})
