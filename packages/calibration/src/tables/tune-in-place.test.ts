import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCheckpoint } from '@dpllm/core/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type QuantizeModelOptions, quantizeModel } from '../quantizer/quantize-model.js'
import { referenceModeQuantizer, typescriptRowQuantizer } from '../quantizer/row-quantizer.js'
import { readFolder } from '../testing/read-folder.js'
import { writeTinyModel } from '../testing/tiny-model.js'
import { tuneTables } from './tune-tables.js'

let directory: string
let original: string
const text = 'the cat sat on the mat and saw a dog. '.repeat(40)
const tuning = { sequenceLength: 16, steps: 6, batch: 2 }
const settings: QuantizeModelOptions = {
  calibrationText: text,
  sensitivity: 'none',
  backend: 'reference',
  quantizer: typescriptRowQuantizer(),
  shardBytes: 1,
  tuning,
}
const at = (name: string) => join(directory, name)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-in-place-'))
  original = at('original')
  await writeTinyModel(original, { edit: (t) => ({ ...t, data: t.data.map((x) => (t.shape.length > 1 ? 4 * x : 1)) }) })
  await quantizeModel(original, at('wanted'), settings)
})
afterAll(() => rm(directory, { recursive: true }))

async function tensors(folder: string) {
  await using checkpoint = await openCheckpoint(folder)
  return Promise.all([...checkpoint.tensors.keys()].sort().map(async (name) => [name, (await checkpoint.read(name)).data]))
}

test('quantizing with tuning gives the tables that tuning gives afterwards', async () => {
  const plain = await quantizeModel(original, at('plain'), { ...settings, tuning: false })
  expect(plain.tuning).toBe('switched off')
  const { profilesLeft: _, ...report } = await tuneTables(original, at('plain'), at('after'), {
    ...tuning,
    calibrationText: text,
    backend: 'reference',
  })
  expect(await tensors(at('wanted'))).toEqual(await tensors(at('after')))
  expect(await tensors(at('wanted'))).not.toEqual(await tensors(at('plain')))
  expect((await quantizeModel(original, at('wanted'), { ...settings, overwrite: true })).tuning).toEqual(report)
})

test('a run that is aborted at any stage goes on where it was, and ends with the same bytes', async () => {
  const out = at('aborted')
  const moments = [
    ['quantize', 1],
    ['measure tables', 3],
    ['tune tables', 4],
    ['write tables', 2],
  ] as const
  for (const [stage, nth] of moments) {
    const controller = new AbortController()
    let seen = 0
    const onProgress = (p: { stage: string }) => {
      if (p.stage === stage && ++seen > nth) controller.abort(new Error('enough'))
    }
    const run = quantizeModel(original, out, { ...settings, signal: controller.signal, onProgress })
    await expect(run).rejects.toThrow('enough')
  }
  await expect(quantizeModel(original, out, { ...settings, tuning: false })).rejects.toThrow(/other settings/)
  const stages = new Set<string>()
  const { resumedShards, shards } = await quantizeModel(original, out, {
    ...settings,
    onProgress: ({ stage }) => stages.add(stage),
  })
  expect(resumedShards).toBe(shards)
  expect(stages).toEqual(new Set(['write tables']))
  expect(await readFolder(out)).toEqual(await readFolder(at('wanted')))
  expect(await readdir(directory)).not.toContain('aborted.partial')
})

test('unfinished tuning is dropped with the work that it belongs to', async () => {
  const controller = new AbortController()
  const onProgress = ({ stage, done }: { stage: string; done: number }) => {
    if (stage === 'tune tables' && done === 2) controller.abort()
  }
  const out = at('dropped')
  await expect(quantizeModel(original, out, { ...settings, signal: controller.signal, onProgress })).rejects.toThrow()
  await quantizeModel(original, out, { ...settings, tuning: false, overwrite: true })
  expect(await readFolder(out)).toEqual(await readFolder(at('plain')))
})

test.each<[string, QuantizeModelOptions, RegExp]>([
  ['a page', { calibrationText: undefined, sensitivity: 'none', backend: 'cpu' }, /give one of your own/],
  ['short', { calibrationText: 'the cat', backend: 'cpu' }, /has 0 windows of 64 tokens, and 64 are needed/],
  ['reference', { backend: 'reference' }, /native code/],
  ['published', { quantizer: referenceModeQuantizer() }, /reference mode/],
  ['fine', { seedBits: 6, backend: 'cpu' }, /no tables of 3 or 4 bits/],
])('by default tables are tuned where it pays: not with %s', async (name, options, reason) => {
  const { tuning } = await quantizeModel(original, at(name), { ...settings, tuning: undefined, ...options })
  expect(tuning).toMatch(reason)
})

test('what is asked for is not left out in silence', async () => {
  const quantize = (options: QuantizeModelOptions) => quantizeModel(original, at('refused'), { ...settings, ...options })
  await expect(quantize({ calibrationText: 'the cat' })).rejects.toThrow(/calibrationText.*at least 64 windows.*0 windows/)
  await expect(quantize({ seedBits: 6 })).rejects.toThrow(/tuning\.bits.*6 to 8 bits/)
  await expect(quantize({ tuning: { steps: -1 } })).rejects.toThrow(/steps/)
  expect(await readdir(directory)).not.toContain('refused.partial')
})
