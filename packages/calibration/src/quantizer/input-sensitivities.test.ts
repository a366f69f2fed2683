import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BackendUnavailableError, createReferenceBackend } from '@dpllm/core'
import { openCheckpoint } from '@dpllm/core/node'
import { loadModel } from '@dpllm/runtime'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { measureInputMoments } from '../sensitivity/input-moments.js'
import { readFolder } from '../testing/read-folder.js'
import { writeTinyModel } from '../testing/tiny-model.js'
import { quantizeModel as quantizeWith } from './quantize-model.js'
import { quantizeRows } from './quantize-rows.js'

/** By inputs: fisher-sensitivities.test.ts has the other way. */
const quantizeModel: typeof quantizeWith = (from, to, options) => quantizeWith(from, to, { sensitivity: 'inputs', ...options })

const text = 'the quick brown fox jumps over the lazy dog. '.repeat(4)
let folder: string
let source: string
let out: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dpllm-moments-'))
  source = join(folder, 'model')
  out = join(folder, 'out')
  await writeTinyModel(source)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('moments are the mean squares of what the linears read', async () => {
  await using model = await loadModel(source, { backend: createReferenceBackend() })
  const windows = [Uint32Array.of(1, 5, 9, 7), Uint32Array.of(1, 3)]
  const moments = await measureInputMoments(model, windows)
  expect(moments.size).toBe(2 * 7 + 1)
  expect(moments.get('model.layers.0.self_attn.q_proj')).toEqual(moments.get('model.layers.0.self_attn.v_proj'))
  // The first block's input by hand: the norm of the embeddings of all six tokens.
  await using checkpoint = await openCheckpoint(source)
  const embedding = (await checkpoint.read('model.embed_tokens.weight')).data as Float32Array
  const norm = (await checkpoint.read('model.layers.0.input_layernorm.weight')).data as Float32Array
  const wanted = new Float64Array(24)
  for (const token of windows.flatMap((window) => [...window])) {
    const x = embedding.subarray(token * 24, (token + 1) * 24)
    const scale = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / 24 + 1e-5)
    for (let i = 0; i < 24; i++) wanted[i] += (x[i] * scale * norm[i]) ** 2 / 6
  }
  moments.get('model.layers.0.self_attn.q_proj')!.forEach((value, i) => {
    expect(value / wanted[i]).toBeCloseTo(1, 5)
  })
})

test('columns are weighed by the moments of their inputs', async () => {
  await quantizeModel(source, out, { calibrationText: text, shardBytes: 1 })
  const name = 'model.layers.1.mlp.down_proj'
  await using model = await loadModel(source, { arithmetic: 'precise' })
  const tokens = model.tokenizer.encode(text.trim())
  const windows = Array.from({ length: Math.ceil(tokens.length / 64) }, (_, i) => tokens.slice(i * 64, (i + 1) * 64))
  const moments = (await measureInputMoments(model, windows)).get(name)!
  const weights = (model.weights.get(`${name}.weight`) as { data: Float32Array }).data
  const sensitivities = Float32Array.from(weights, (_, i) => moments[i % moments.length])
  const wanted = quantizeRows(weights, { cols: moments.length, sensitivities })
  const plain = quantizeRows(weights, { cols: moments.length })
  await using written = await openCheckpoint(out)
  expect((await written.read(`${name}.planes`)).data).toEqual(wanted.planes)
  expect((await written.read(`${name}.lut3`)).data).toEqual(wanted.luts[0])
  expect(wanted.planes).not.toEqual(plain.planes)
})

test('the text is part of what a run is, and its moments are not part of the result', async () => {
  const stop = new AbortController()
  const onProgress = ({ stage, done }: { stage: string; done: number }) => {
    if (stage === 'quantize' && done > 0) stop.abort(new Error('enough'))
  }
  const options = { calibrationText: text, shardBytes: 1 }
  await expect(quantizeModel(source, out, { ...options, signal: stop.signal, onProgress })).rejects.toThrow('enough')
  expect(await readdir(`${out}.partial`)).toContain('input-moments.safetensors')
  await expect(quantizeModel(source, out, { ...options, calibrationText: `${text} more` })).rejects.toThrow(/other settings/)

  const stages = new Set<string>()
  const { resumedShards } = await quantizeModel(source, out, { ...options, onProgress: ({ stage }) => stages.add(stage) })
  expect(resumedShards).toBeGreaterThan(0)
  // Read back from the partial folder, not measured again.
  expect([...stages]).toEqual(['quantize'])
  const resumed = await readFolder(out)
  expect([...resumed.keys()]).not.toContain('input-moments.safetensors')
  await quantizeModel(source, join(folder, 'whole'), options)
  expect(resumed).toEqual(await readFolder(join(folder, 'whole')))
})

test('settings that cannot be are refused', async () => {
  await expect(quantizeModel(source, out, { samples: 0 })).rejects.toThrow(/samples: expected a positive integer/)
  for (const calibrationText of ['', ' '])
    await expect(quantizeModel(source, out, { calibrationText })).rejects.toThrow(/at least one token/)
})

test('a backend that cannot be used costs nothing of an earlier run', async () => {
  const stop = new AbortController()
  const onProgress = ({ stage, done }: { stage: string; done: number }) => {
    if (stage === 'quantize' && done > 0) stop.abort(new Error('enough'))
  }
  const options = { calibrationText: text, sensitivity: 'inputs', shardBytes: 1 } as const
  await expect(quantizeModel(source, out, { ...options, signal: stop.signal, onProgress })).rejects.toThrow('enough')
  // The moments have to be measured again.
  await rm(join(`${out}.partial`, 'input-moments.safetensors'))
  const kept = await readdir(`${out}.partial`)
  expect(kept.length).toBeGreaterThan(0)
  await expect(quantizeModel(source, out, { ...options, backend: 'cuda' })).rejects.toThrow(BackendUnavailableError)
  expect(await readdir(`${out}.partial`)).toEqual(kept)
  expect((await quantizeModel(source, out, options)).resumedShards).toBeGreaterThan(0)
})
