import { createRandom } from '@dpllm/core'
import { probeCpu } from '@dpllm/cpu-kernels'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quantizeRows } from './quantize-rows.js'
import { createRowQuantizer, nativeRowQuantizer, typescriptRowQuantizer } from './row-quantizer.js'

const native = probeCpu().ok

/** Matrices with ties or none, of any scale down to subnormal halves, with sensitivities of all kinds. */
const tasks = fc
  .record({
    rows: fc.integer({ min: 1, max: 6 }),
    cols: fc.integer({ min: 1, max: 400 }),
    seed: fc.nat(),
    grid: fc.constantFrom(0, 0.001, 0.05, 0.5),
    scale: fc.integer({ min: -9, max: 4 }).map((n) => 10 ** n),
    sensitivities: fc.constantFrom('none', 'wild', 'sparse', 'zero'),
    seedBits: fc.integer({ min: 1, max: 4 }),
    moreBits: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ rows, cols, seed, grid, scale, sensitivities, seedBits, moreBits }) => {
    const random = createRandom(seed)
    const weights = Float32Array.from({ length: rows * cols }, () => {
      const x = random.normal()
      return scale * Math.max(-6.5, Math.min(6.5, grid > 0 ? Math.round(x / grid) * grid : x))
    })
    const kinds = {
      none: undefined,
      wild: weights.map(() => Math.exp(6 * random.normal())),
      sparse: weights.map(() => (random.uniform() < 0.5 ? 0 : random.normal() ** 2)),
      zero: weights.map(() => 0),
    }
    return { weights, options: { cols, seedBits, maxBits: seedBits + moreBits, sensitivities: kinds[sensitivities] } }
  })

test.skipIf(!native)('native code and TypeScript give the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(tasks, fc.integer({ min: 1, max: 3 }), async ({ weights, options }, threads) => {
      expect(await nativeRowQuantizer(threads).quantize(weights, options)).toEqual(quantizeRows(weights, options))
    }),
    { numRuns: 300 },
  )
})

test.skipIf(!native)('so they do on a row as wide as those of large models', async () => {
  const random = createRandom(11)
  const weights = Float32Array.from({ length: 2 * 6000 }, () => 0.02 * random.normal() ** 3)
  const sensitivities = weights.map(() => Math.exp(2 * random.normal()))
  const options = { cols: 6000, sensitivities }
  expect(await nativeRowQuantizer().quantize(weights, options)).toEqual(quantizeRows(weights, options))
})

test.skipIf(!native)('several calls run side by side', async () => {
  const random = createRandom(12)
  const matrices = Array.from({ length: 8 }, () => Float32Array.from({ length: 20 * 50 }, () => random.normal()))
  const results = await Promise.all(matrices.map((weights) => nativeRowQuantizer(2).quantize(weights, { cols: 50 })))
  expect(results).toEqual(matrices.map((weights) => quantizeRows(weights, { cols: 50 })))
})

test('native code is taken where it can be loaded', () => {
  expect(createRowQuantizer().name).toBe(native ? 'native' : 'typescript')
})

test('arguments are checked before any of them runs', async () => {
  for (const quantizer of [nativeRowQuantizer(), typescriptRowQuantizer()]) {
    await expect(quantizer.quantize(new Float32Array(4), { cols: 3 })).rejects.toMatchObject({ argument: 'weights' })
    await expect(quantizer.quantize(Float32Array.of(Number.NaN), { cols: 1 })).rejects.toMatchObject({ argument: 'weights' })
  }
  expect(() => nativeRowQuantizer(0)).toThrow(expect.objectContaining({ argument: 'threads' }))
})
