import { type BitPlaneWeight, createRandom, createReferenceBackend, staticPolicy } from '@dpllm/core'
import { bitPlaneTolerance, operatorCase, randomBitPlanes, randomTensor, relativeError, runCase } from '@dpllm/core/testing'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createCudaBackend } from '../src/index.js'
import { hasHostAddon, useHostAddon } from './host-addon.js'

/** A linear that reads `weight` at `bits` bits for every row of a random x [T, cols]. */
function productCase(weight: BitPlaneWeight, bits: number, T: number) {
  const x = randomTensor(createRandom(T), [T, weight.cols])
  return operatorCase('product', {
    inputs: { x },
    outs: { bits: { width: 1, dtype: 'u8' }, e: { width: 1 }, y: { width: weight.rows } },
    weights: { w: weight },
    operators: [
      { kind: 'select', x: 'x', weight: 'w', bits: 'bits', estimate: 'e' },
      { kind: 'linear', x: 'x', weight: 'w', bits: 'bits', out: 'y' },
    ],
    steps: [{ policy: staticPolicy([bits]) }],
    tolerance: bitPlaneTolerance(weight, bits, x.data),
  })
}

async function errorOf(c: ReturnType<typeof productCase>): Promise<number> {
  await using backend = createCudaBackend()
  const [[found], [wanted]] = [await runCase(backend, c), await runCase(createReferenceBackend(), c)]
  return relativeError(found.outputs.y, wanted.outputs.y)
}

describe.skipIf(!hasHostAddon)('versions of the product', () => {
  beforeAll(useHostAddon)
  afterEach(() => {
    delete process.env.DPLLM_CUDA_PRODUCT
  })

  // What plain arithmetic can, and 16-bit arithmetic cannot: which of them ran shows.
  test('DPLLM_CUDA_PRODUCT chooses; the default is tensor', async () => {
    const c = productCase(randomBitPlanes(3, 64, 512), 3, 2)
    process.env.DPLLM_CUDA_PRODUCT = 'plain'
    expect(await errorOf(c)).toBeLessThan(c.tolerance.f32)
    for (const version of ['tensor', '']) {
      process.env.DPLLM_CUDA_PRODUCT = version
      const error = await errorOf(c)
      expect(error).toBeGreaterThan(c.tolerance.f32)
      expect(error).toBeLessThan(c.tolerance.tensor)
    }
    process.env.DPLLM_CUDA_PRODUCT = 'fastest'
    await expect(errorOf(c)).rejects.toThrow(/DPLLM_CUDA_PRODUCT: expected plain or tensor, found fastest/)
  })

  // Such tables do not fit the bytes that 4 bits are looked up in; they are then looked up as they are, which is exact.
  test('4-bit tables that do not ascend are right, too', async () => {
    const weight = randomBitPlanes(4, 40, 300, 3, 6)
    const lut = weight.luts[1]
    for (let i = 0; i < lut.length; i += 2) [lut[i], lut[i + 1]] = [lut[i + 1], lut[i]]
    for (const T of [1, 6, 13]) {
      const c = productCase(weight, 4, T)
      expect(await errorOf(c)).toBeLessThan(c.tolerance.f32)
    }
  })

  // A row's own scale, for each 256 columns: outliers cost their neighbours, and no other row or column.
  test('rows and columns of very different sizes', async () => {
    const weight = randomBitPlanes(5, 48, 1024)
    for (const T of [3, 20]) {
      const c = productCase(weight, 3, T)
      const table = c.weights.get('table.x') as ReturnType<typeof randomTensor>
      for (let t = 0; t < T; t++) {
        for (let k = 0; k < 1024; k++) table.data[t * 1024 + k] *= 10 ** ((t % 3) * 12 - 12) * (k < 256 ? 1e-3 : 1)
      }
      await using backend = createCudaBackend()
      const [[found], [wanted]] = [await runCase(backend, c), await runCase(createReferenceBackend(), c)]
      for (let t = 0; t < T; t++) {
        const row = (y: Float32Array) => y.subarray(t * 48, (t + 1) * 48)
        expect(relativeError(row(found.outputs.y), row(wanted.outputs.y))).toBeLessThan(c.tolerance.tensor * 2)
      }
    }
  })

  test('what is not a number stays so, in its row', async () => {
    for (const T of [3, 20]) {
      const c = productCase(randomBitPlanes(6, 32, 300), 4, T)
      const table = c.weights.get('table.x') as ReturnType<typeof randomTensor>
      table.data[300 + 7] = Number.NaN
      await using backend = createCudaBackend()
      const [{ outputs }] = await runCase(backend, c)
      expect(outputs.y.subarray(32, 64).every(Number.isNaN)).toBe(true)
      expect([...outputs.y.subarray(0, 32), ...outputs.y.subarray(64)].every(Number.isFinite)).toBe(true)
    }
  })
})
