import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom, dequantize, toFloat16, truncateBits } from '@dpllm/core'
import { openCheckpoint } from '@dpllm/core/node'
import { expect, test } from 'vitest'
import { quantizeRows } from '../quantizer/quantize-rows.js'
import { writeTinyModel } from '../testing/tiny-model.js'
import { measureAllErrors } from './measure-all-errors.js'
import { originalRows } from './original-rows.js'
import { type ModuleRowReader, measureErrors } from './quantization-errors.js'

const [rows, cols] = [37, 45]
const random = createRandom(6)
const normal = (count: number) => Float32Array.from({ length: count }, () => random.normal())
const original = normal(rows * cols)
const weight = quantizeRows(original, { cols, maxBits: 6 })
const sensitivities = normal(rows * cols).map((x) => x * x)
const gradients = normal(rows * cols)

/** Rows of a matrix [rows, cols] that is all there, as many times as asked, so that a small one can stand for a large one. */
function readerOf(matrix: Float32Array): ModuleRowReader {
  return async (_, first, count) => matrix.slice(first * cols, (first + count) * cols)
}

test('sums over all weights, at every bit count', async () => {
  const errors = await measureErrors('m', weight, {
    original: readerOf(original),
    sensitivities: readerOf(sensitivities),
    gradients: readerOf(gradients),
  })
  expect(errors).toMatchObject({ module: 'm', weights: rows * cols, minBits: 3 })
  for (let bits = 3; bits <= 6; bits++) {
    const difference = Array.from(dequantize(weight, bits), (w, i) => original[i] - w)
    const sum = (of: (error: number, i: number) => number) => difference.reduce((total, error, i) => total + of(error, i), 0)
    // f64 sums of 1665 terms in another order.
    const close = (found: number | undefined, wanted: number) => expect(found).toBeCloseTo(wanted, 10)
    close(
      errors.squared[bits - 3],
      sum((e) => e * e),
    )
    close(
      errors.weighted?.[bits - 3],
      sum((e, i) => sensitivities[i] * e * e),
    )
    close(
      errors.firstOrder?.[bits - 3],
      sum((e, i) => gradients[i] * e),
    )
  }
  expect(errors.squared.length).toBe(4)
  expect(errors.trace).toBeCloseTo(
    sensitivities.reduce((a, b) => a + b),
    3,
  )
  expect(errors.firstOrder!.some((x) => x < 0)).toBe(true)
})

test('only what there are readers for, and only bit counts that are loaded', async () => {
  const errors = await measureErrors('m', truncateBits(weight, 4), { original: readerOf(original) })
  expect(Object.keys(errors).sort()).toEqual(['minBits', 'module', 'squared', 'weights'])
  const all = await measureErrors('m', weight, { original: readerOf(original), gradients: readerOf(gradients) })
  expect([...errors.squared]).toEqual([...all.squared.subarray(0, 2)])
  expect(all.weighted).toBeUndefined()
})

test('a matrix of many rows is read a part at a time, every row once', async () => {
  const [tall, wide] = [40, 2 ** 16]
  const values = normal(wide)
  const row = quantizeRows(values, { cols: wide, maxBits: 3 })
  const planes = new Uint32Array(row.planes.length * tall)
  const words = wide / 32
  for (let p = 0; p < 3; p++)
    for (let r = 0; r < tall; r++) planes.set(row.planes.subarray(p * words, (p + 1) * words), (p * tall + r) * words)
  const luts = [toFloat16(Float32Array.from({ length: 8 * tall }, (_, i) => i))]
  const read: [number, number][] = []
  const errors = await measureErrors(
    'm',
    { ...row, rows: tall, planes, luts },
    {
      original: async (_, first, count) => {
        read.push([first, count])
        // What reading gives: codes, and 8 for each row.
        const codes = Array.from({ length: wide }, (_, k) =>
          [0, 1, 2].reduce((c, p) => 2 * c + ((row.planes[p * words + (k >>> 5)] >>> (k & 31)) & 1), 0),
        )
        return Float32Array.from({ length: count * wide }, (_, i) => codes[i % wide] + 8 * (first + Math.floor(i / wide)))
      },
    },
  )
  expect([...errors.squared]).toEqual([0])
  expect(read).toEqual([
    [0, 16],
    [16, 16],
    [32, 8],
  ])
})

test('what a reader gives is checked, and an abort is seen', async () => {
  const short: ModuleRowReader = async () => new Float32Array(3)
  await expect(measureErrors('m', weight, { original: short })).rejects.toThrow(/original: expected 37 rows of 45 values of m/)
  await expect(measureErrors('m', weight, { original: readerOf(original), gradients: short })).rejects.toThrow(/gradients: exp/)
  const bad = readerOf(original.with(7, Number.NaN))
  await expect(measureErrors('m', weight, { original: bad })).rejects.toThrow(/readers: expected finite values of m/)
  const stop = new AbortController()
  const stopping: ModuleRowReader = async (...args) => {
    stop.abort(new Error('enough'))
    return readerOf(original)(...args)
  }
  await expect(measureErrors('m', weight, { original: stopping }, { signal: stop.signal })).rejects.toThrow('enough')
})

test('of all linears of a checkpoint, with progress', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dpllm-errors-'))
  try {
    await writeTinyModel(directory, { dtype: 'bf16' })
    await using checkpoint = await openCheckpoint(directory)
    const reader = originalRows(checkpoint)
    const shapes = { 'model.layers.0.mlp.down_proj': [24, 40], 'model.layers.1.self_attn.k_proj': [12, 24] }
    const linears = Object.entries(shapes).map(([module, [rows, cols]]) => ({
      module,
      weights: rows * cols,
      read: async () => quantizeRows(await reader(module, 0, rows), { cols, maxBits: 5 }),
    }))
    const progress: number[] = []
    const errors = await measureAllErrors(
      linears,
      { original: reader },
      {
        onProgress: ({ done, total, unit }) => {
          progress.push(done)
          expect([total, unit]).toEqual([24 * 40 + 12 * 24, 'weights'])
        },
      },
    )
    expect(progress).toEqual([960, 1248])
    expect(errors.map(({ module }) => module)).toEqual(Object.keys(shapes))
    for (const { squared } of errors) {
      expect(squared[2]).toBeGreaterThan(0)
      expect(squared[0]).toBeGreaterThan(squared[1])
      expect(squared[1]).toBeGreaterThan(squared[2])
    }
    await expect(reader('model.layers.9.mlp.up_proj', 0, 1)).rejects.toMatchObject({ code: 'ERR_DPLLM_FILE' })
    await expect(reader('model.layers.0.input_layernorm', 0, 1)).rejects.toMatchObject({ code: 'ERR_DPLLM_FILE' })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
