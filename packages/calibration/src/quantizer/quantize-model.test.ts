import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BitPlaneWeight, dequantize, type FloatTensor, type Tensor, toFloat32 } from '@dpllm/core'
import { CHECKPOINT_FILE, exists, openCheckpoint } from '@dpllm/core/node'
import { decoderProgram, readModelConfig } from '@dpllm/runtime'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readFolder } from '../testing/read-folder.js'
import { writeTinyModel } from '../testing/tiny-model.js'
import { quantizeModel as quantizeWith } from './quantize-model.js'
import { quantizeRows } from './quantize-rows.js'
import { type RowQuantizer, typescriptRowQuantizer } from './row-quantizer.js'

/** All weights count the same: input-sensitivities.test.ts and fisher-sensitivities.test.ts have the others. */
const quantizeModel: typeof quantizeWith = (from, to, options) => quantizeWith(from, to, { calibrationText: false, ...options })

let directory: string
let source: string
let out: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-quantize-'))
  source = join(directory, 'model')
  out = join(directory, 'quantized')
})
afterEach(() => rm(directory, { recursive: true }))

const quantizer = typescriptRowQuantizer()

/** A quantizer that calls `at` before each call, with how many there were before. */
function watched(at: (call: number) => void): RowQuantizer {
  let calls = 0
  return {
    ...quantizer,
    quantize(weights, options) {
      at(calls++)
      return quantizer.quantize(weights, options)
    },
  }
}

async function readBitPlanes(folder: string, name: string, shape: readonly number[], maxBits = 8): Promise<BitPlaneWeight> {
  await using checkpoint = await openCheckpoint(folder)
  const planes = (await checkpoint.read(`${name}.planes`)) as Tensor<'u32'>
  expect(planes).toMatchObject({ dtype: 'u32', shape: [maxBits, shape[0], Math.ceil(shape[1] / 32)] })
  const luts: Uint16Array[] = []
  for (let b = 3; b <= maxBits; b++) {
    const lut = (await checkpoint.read(`${name}.lut${b}`)) as Tensor<'f16'>
    expect(lut).toMatchObject({ dtype: 'f16', shape: [shape[0], 2 ** b] })
    luts.push(lut.data)
  }
  expect(checkpoint.tensors.has(`${name}.lut${maxBits + 1}`)).toBe(false)
  return { kind: 'bitPlanes', rows: shape[0], cols: shape[1], seedBits: 3, maxBits, planes: planes.data, luts }
}

describe('the quantized folder', () => {
  test.each(['f32', 'f16', 'bf16'] as const)(
    'holds the bit-planes of every linear and of a tied head, and the rest as it was (%s)',
    async (dtype) => {
      await writeTinyModel(source, { dtype })
      const result = await quantizeModel(source, out, { quantizer })
      const { weights, frequencies } = decoderProgram(await readModelConfig(source))
      await using original = await openCheckpoint(source)
      await using quantized = await openCheckpoint(out)
      for (const { name, shape } of weights) {
        if (name === frequencies) continue
        const dense = (await original.read(name)) as FloatTensor
        if (name.endsWith('_proj.weight')) {
          const module = name.slice(0, -'.weight'.length)
          expect(await readBitPlanes(out, module, shape)).toEqual(quantizeRows(toFloat32(dense), { cols: shape[1] }))
          expect(quantized.tensors.has(name)).toBe(false)
        } else expect(await quantized.read(name)).toEqual(dense)
      }
      const embedding = (await original.read('model.embed_tokens.weight')) as FloatTensor
      expect(await readBitPlanes(out, 'lm_head', [50, 24])).toEqual(quantizeRows(toFloat32(embedding), { cols: 24 }))
      expect(result).toMatchObject({
        weights: 2 * (2 * 24 * 24 + 2 * 12 * 24 + 3 * 24 * 40) + 50 * 24,
        shards: 1,
        resumedShards: 0,
      })
      expect(result.modules).toHaveLength(15)
    },
  )

  test('has the config text with the quantized modules added, the tokenizer files, and no others', async () => {
    await writeTinyModel(source)
    await quantizeModel(source, out, { quantizer, headBits: 6 })
    expect((await readdir(out)).sort()).toEqual([
      'chat_template.jinja',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    const [before, after] = await Promise.all([readFolder(source), readFolder(out)])
    for (const name of ['chat_template.jinja', 'tokenizer.json', 'tokenizer_config.json'])
      expect(after.get(name)).toEqual(before.get(name))

    const text = after.get('config.json')!.toString()
    expect(text).toContain('"rope_theta": 10000.0,')
    const config = JSON.parse(text)
    expect(config).toEqual({ ...JSON.parse(before.get('config.json')!.toString()), dpllm: config.dpllm })
    expect(config.dpllm).toMatchObject({ format: 1, seedBits: 3, maxBits: 8 })
    expect(Object.keys(config.dpllm.quantizedModules)).toHaveLength(15)
    expect(config.dpllm.quantizedModules['model.layers.1.mlp.down_proj']).toEqual({
      bits: [3, 4, 5, 6, 7, 8],
      rows: 24,
      cols: 40,
    })
    expect(config.dpllm.quantizedModules.lm_head).toEqual({ bits: [3, 4, 5, 6], rows: 50, cols: 24 })
    expect((await readModelConfig(out)).quantization?.quantizedModules.lm_head.bits).toEqual([3, 4, 5, 6])
  })

  test('quantizes an untied head from its own weights, or leaves it', async () => {
    await writeTinyModel(source, { config: { tie_word_embeddings: false } })
    await using original = await openCheckpoint(source)
    const head = (await original.read('lm_head.weight')) as Tensor<'f32'>
    await quantizeModel(source, out, { quantizer })
    expect(await readBitPlanes(out, 'lm_head', [50, 24])).toEqual(quantizeRows(head.data, { cols: 24 }))

    await quantizeModel(source, `${out}-dense`, { quantizer, headBits: false })
    await using dense = await openCheckpoint(`${out}-dense`)
    expect(await dense.read('lm_head.weight')).toEqual(head)
    expect([...dense.tensors.keys()].filter((name) => /^lm_head\.(planes|lut)/.test(name))).toEqual([])
  })

  test('keeps biases, norms of heads and tensors that the program does not know', async () => {
    await writeTinyModel(source, {
      config: { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2' },
      dtype: 'f16',
      maxShardBytes: 8000,
    })
    await quantizeModel(source, out, { quantizer, maxBits: 4, headBits: 4 })
    await using original = await openCheckpoint(source)
    await using quantized = await openCheckpoint(out)
    expect(await quantized.read('model.layers.1.self_attn.k_proj.bias')).toEqual(
      await original.read('model.layers.1.self_attn.k_proj.bias'),
    )
    await readBitPlanes(out, 'model.layers.1.self_attn.k_proj', [12, 24], 4)
  })

  test('is the same for fused projections and for any rows per call', async () => {
    await writeTinyModel(source, { config: { architectures: ['Phi3ForCausalLM'], model_type: 'phi3' } })
    await quantizeModel(source, out, { quantizer })
    await readBitPlanes(out, 'model.layers.0.self_attn.qkv_proj', [48, 24])
    await readBitPlanes(out, 'model.layers.0.mlp.gate_up_proj', [80, 24])
    await quantizeModel(source, `${out}-2`, { quantizer: { ...quantizer, weightsPerCall: 24 * 7 } })
    expect(await readFolder(`${out}-2`)).toEqual(await readFolder(out))
  })

  test('is cut into one file for the rest, one for each block and one for the head', async () => {
    await writeTinyModel(source)
    await quantizeModel(source, out, { quantizer, shardBytes: 1 })
    const index = JSON.parse(await readFile(join(out, 'model.safetensors.index.json'), 'utf8'))
    expect(index.weight_map).toMatchObject({
      'model.embed_tokens.weight': 'model-00001-of-00004.safetensors',
      'model.norm.weight': 'model-00001-of-00004.safetensors',
      'model.layers.0.input_layernorm.weight': 'model-00002-of-00004.safetensors',
      'model.layers.1.mlp.up_proj.lut8': 'model-00003-of-00004.safetensors',
      'lm_head.planes': 'model-00004-of-00004.safetensors',
    })
    await readBitPlanes(out, 'model.layers.1.mlp.up_proj', [40, 24])
  })
})

describe('progress, aborting and resuming', () => {
  test('progress counts weights up to their total', async () => {
    await writeTinyModel(source)
    const seen: { stage: string; done: number; total: number; unit?: string }[] = []
    const { weights } = await quantizeModel(source, out, { quantizer, shardBytes: 1, onProgress: (p) => seen.push(p) })
    expect(seen[0]).toEqual({ stage: 'quantize', done: 0, total: weights, unit: 'weights' })
    expect(seen.at(-1)).toEqual({ stage: 'quantize', done: weights, total: weights, unit: 'weights' })
    expect(seen.length).toBe(1 + 15)
    expect(seen.every((p, i) => i === 0 || p.done > seen[i - 1].done)).toBe(true)
  })

  test('an aborted run is continued: finished files stay as they are, the bytes are those of an uninterrupted run', async () => {
    await writeTinyModel(source)
    await quantizeModel(source, `${out}-whole`, { quantizer, shardBytes: 1 })
    const controller = new AbortController()
    const aborting = watched((call) => call === 10 && controller.abort(new Error('enough')))
    const interrupted = quantizeModel(source, out, { quantizer: aborting, shardBytes: 1, signal: controller.signal })
    await expect(interrupted).rejects.toThrow('enough')
    expect(await exists(out)).toBe(false)
    expect((await readdir(`${out}.partial`)).sort()).toEqual([
      'model-00001-of-00004.safetensors',
      'model-00002-of-00004.safetensors',
    ])

    let calls = 0
    const progress: number[] = []
    const resumed = await quantizeModel(source, out, {
      quantizer: watched(() => calls++),
      shardBytes: 1,
      onProgress: (p) => progress.push(p.done),
    })
    expect(resumed).toMatchObject({ resumedShards: 2, shards: 4 })
    expect(calls).toBe(8)
    expect(progress[0]).toBe(2 * 24 * 24 + 2 * 12 * 24 + 3 * 24 * 40)
    expect(await readFolder(out)).toEqual(await readFolder(`${out}-whole`))
    expect(await exists(`${out}.partial`)).toBe(false)
  })

  test('files that a killed run was writing, or wrote last, are made anew', async () => {
    await writeTinyModel(source)
    await quantizeModel(source, `${out}-whole`, { quantizer })
    await mkdir(`${out}.partial`)
    await writeFile(join(`${out}.partial`, '.model.safetensors.1.0.tmp'), 'half')
    await writeFile(join(`${out}.partial`, 'tokenizer.json'), '{')
    await writeFile(join(`${out}.partial`, 'config.json'), '{}')
    await quantizeModel(source, out, { quantizer })
    expect(await readFolder(out)).toEqual(await readFolder(`${out}-whole`))
  })

  test('unfinished work of other settings or another model is not mixed in, but named; overwrite drops it', async () => {
    await writeTinyModel(source)
    const stop = watched((call) => {
      if (call === 8) throw new Error('power cut')
    })
    await expect(quantizeModel(source, out, { quantizer: stop, shardBytes: 1 })).rejects.toThrow('power cut')
    const before = await readFolder(`${out}.partial`)
    expect(before.size).toBe(2)
    await expect(quantizeModel(source, out, { quantizer, shardBytes: 1, maxBits: 6 })).rejects.toThrow(
      /other settings.*quantized\.partial/,
    )
    await expect(quantizeModel(source, out, { quantizer })).rejects.toThrow(/other settings/)
    await rm(source, { recursive: true })
    await writeTinyModel(source, { seed: 2 })
    await expect(quantizeModel(source, out, { quantizer, shardBytes: 1 })).rejects.toThrow(/another source/)
    expect(await readFolder(`${out}.partial`)).toEqual(before)

    await quantizeModel(source, out, { quantizer, shardBytes: 1, overwrite: true })
    await quantizeModel(source, `${out}-whole`, { quantizer, shardBytes: 1 })
    expect(await readFolder(out)).toEqual(await readFolder(`${out}-whole`))
  })

  test('tensors of dtypes that are not read are left out', async () => {
    await writeTinyModel(source)
    const bytes = await readFile(join(source, CHECKPOINT_FILE))
    const begin = 8 + Number(bytes.readBigUInt64LE())
    const end = bytes.length - begin
    const header = JSON.parse(bytes.toString('utf8', 8, begin))
    const json = Buffer.from(JSON.stringify({ ...header, ids: { dtype: 'I64', shape: [2], data_offsets: [end, end + 16] } }))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(json.length))
    const withIds = join(directory, 'with-ids')
    await writeTinyModel(withIds)
    await writeFile(join(withIds, CHECKPOINT_FILE), Buffer.concat([length, json, bytes.subarray(begin), Buffer.alloc(16)]))

    await quantizeModel(source, out, { quantizer })
    await quantizeModel(withIds, `${out}-with-ids`, { quantizer })
    await using plain = await openCheckpoint(out)
    await using made = await openCheckpoint(`${out}-with-ids`)
    expect([...made.tensors.keys()]).toEqual([...plain.tensors.keys()])
    expect([...made.unread]).toEqual([])
  })

  test('an existing folder is only replaced when asked to, and only by what it was', async () => {
    await writeTinyModel(source)
    await quantizeModel(source, out, { quantizer })
    await expect(quantizeModel(source, out, { quantizer, maxBits: 4 })).rejects.toMatchObject({
      code: 'ERR_DPLLM_ARGUMENT',
      argument: 'out',
    })
    await quantizeModel(source, out, { quantizer, maxBits: 4, overwrite: true })
    expect(JSON.parse(await readFile(join(out, 'config.json'), 'utf8')).dpllm.maxBits).toBe(4)

    const precious = join(directory, 'precious')
    await mkdir(precious)
    await writeFile(join(precious, 'thesis.txt'), 'years of work')
    await expect(quantizeModel(source, precious, { quantizer, overwrite: true })).rejects.toThrow(/quantized model/)
    await expect(quantizeModel(source, source, { quantizer, overwrite: true })).rejects.toThrow(/another folder than the source/)
    await writeTinyModel(`${out}-2.partial`)
    await expect(quantizeModel(`${out}-2.partial`, `${out}-2`, { quantizer })).rejects.toThrow(/another folder than the source/)
    await mkdir(`${out}-3.partial`)
    await writeFile(join(`${out}-3.partial`, 'thesis.txt'), 'years of work')
    await expect(quantizeModel(source, `${out}-3`, { quantizer, overwrite: true })).rejects.toThrow(
      /only files of an unfinished run/,
    )
    expect(await readdir(`${out}-3.partial`)).toEqual(['thesis.txt'])
    expect((await readdir(directory)).sort()).toEqual([
      'model',
      'precious',
      'quantized',
      'quantized-2.partial',
      'quantized-3.partial',
    ])
  })
})

describe.skipIf(!process.env.DPLLM_DATA)('stories260K', () => {
  test('rows that are no multiple of 32 columns; errors shrink about fourfold with every bit', async () => {
    const stories = join(process.env.DPLLM_DATA!, 'stories260K')
    await quantizeModel(stories, out, {})
    await using original = await openCheckpoint(stories)
    const name = 'model.layers.2.mlp.down_proj'
    const dense = (await original.read(`${name}.weight`)) as Tensor<'f32'>
    const weight = await readBitPlanes(out, name, [64, 172])
    const energy = dense.data.reduce((sum, x) => sum + x * x, 0)
    const errors = [3, 4, 5, 6, 7, 8].map((bits) => {
      const approximate = dequantize(weight, bits)
      return dense.data.reduce((sum, x, i) => sum + (x - approximate[i]) ** 2, 0) / energy
    })
    // Rate-distortion of a Gaussian source: 6 dB a bit; the optimal 3-bit quantizer of one has error 0.0345 (Max 1960).
    expect(errors[0]).toBeGreaterThan(0.015)
    expect(errors[0]).toBeLessThan(0.0345)
    for (let i = 1; i < errors.length; i++) expect(errors[i]).toBeLessThan(errors[i - 1] / 3)
  })
})
