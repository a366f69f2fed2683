import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readFolder } from '../../testing/read-folder.js'
import { writeTinyModel } from '../../testing/tiny-model.js'
import { quantizeModel } from '../quantize-model.js'
import { type RowQuantizer, referenceModeQuantizer, typescriptRowQuantizer } from '../row-quantizer.js'

let directory: string
let source: string
let out: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-reference-mode-'))
  source = join(directory, 'model')
  out = join(directory, 'quantized')
  await writeTinyModel(source)
})
afterEach(() => rm(directory, { recursive: true }))

const quantizeBy = (quantizer: RowQuantizer, to = out) => {
  return quantizeModel(source, to, { quantizer, calibrationText: false, shardBytes: 1 })
}

/** Stops a run where some shards are finished. */
async function interrupt(quantizer: RowQuantizer): Promise<void> {
  let calls = 0
  const stopping: RowQuantizer = {
    ...quantizer,
    quantize(weights, options) {
      if (calls++ === 10) throw new Error('power cut')
      return quantizer.quantize(weights, options)
    },
  }
  await expect(quantizeBy(stopping)).rejects.toThrow('power cut')
}

test('a model in reference mode depends on the seed, not on rows per call or interruptions', async () => {
  const quantizer = referenceModeQuantizer({ seed: 7 })
  expect(await quantizeBy(quantizer, `${out}-whole`)).toMatchObject({ quantizer: 'reference-mode' })
  await interrupt({ ...quantizer, weightsPerCall: 24 * 24 })
  expect(await quantizeBy({ ...quantizer, weightsPerCall: 24 * 7 })).toMatchObject({ resumedShards: 2 })
  const whole = await readFolder(`${out}-whole`)
  expect(await readFolder(out)).toEqual(whole)
  await quantizeBy(referenceModeQuantizer({ seed: 8 }), `${out}-8`)
  expect(await readFolder(`${out}-8`)).not.toEqual(whole)
})

test('unfinished work of another algorithm, seed or table is not mixed in', async () => {
  await interrupt(referenceModeQuantizer({ seed: 7 }))
  for (const other of [
    typescriptRowQuantizer(),
    referenceModeQuantizer(),
    referenceModeQuantizer({ seed: 7, lutRefresh: true }),
  ]) {
    await expect(quantizeBy(other)).rejects.toThrow(/other settings/)
  }
  await expect(quantizeBy(referenceModeQuantizer({ seed: 7 }))).resolves.toMatchObject({ resumedShards: 2 })
})

test.each([-1, 0.5, 2 ** 32, Number.NaN])('%d is no seed', (seed) => {
  expect(() => referenceModeQuantizer({ seed })).toThrow(expect.objectContaining({ argument: 'seed' }))
})
