import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createReferenceBackend, DpllmError, FileFormatError, type FloatTensor, type Tensor, UnsupportedError } from '@dpllm/core'
import { openCheckpoint, writeCheckpoint } from '@dpllm/core/node'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PackedModel, packModel } from '../../../test/any-precision-model.js'
import { sentencePieceTokenizer } from '../../../test/tokenizers.js'
import { torchSave } from '../../../test/torch-save/torch-save.js'
import { parseModelConfig } from '../../config/read-config.js'
import { loadModel } from '../../model/load-model.js'
import { decoderProgram } from '../../models/decoder.js'
import { familyCases } from '../../models/testing/family-cases.js'
import { importAnyPrecision } from './import-any-precision.js'

const family = (name: string) => familyCases.find((c) => c.name === name)!.config
const tiedConfig = family('llama, tied head, a key head for each query head')
const tied = packModel(tiedConfig)
const tiedWeights = torchSave(tied.stateDict)

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-any-precision-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Writes a packed model's folder. */
async function write(
  model: PackedModel,
  { config = model.config as object, weights = model === tied ? tiedWeights : torchSave(model.stateDict) } = {},
) {
  const directory = path.join(folder, `packed-${count++}`)
  await mkdir(directory)
  await writeFile(path.join(directory, 'config.json'), JSON.stringify(config))
  await writeFile(path.join(directory, 'tokenizer.json'), JSON.stringify(sentencePieceTokenizer()))
  await writeFile(path.join(directory, 'pytorch_model.bin'), weights)
  return directory
}

const newFolder = () => path.join(folder, 'imported', String(count++))

async function imported(source: string): Promise<string> {
  const out = newFolder()
  await importAnyPrecision({ source, out })
  return out
}

const tokens = Uint32Array.of(1, 17, 250, 3, 99, 42)

async function logitsOfDense(config: object, weights: Map<string, FloatTensor>): Promise<Float32Array> {
  const model = parseModelConfig(config, 'config.json')
  const decoder = decoderProgram(model)
  const { frequencies } = model.rope
  weights.set(decoder.frequencies, { dtype: 'f32', shape: [frequencies.length], data: frequencies })
  await using compiled = await createReferenceBackend().compile(decoder.program, weights)
  using cache = compiled.createCache(tokens.length)
  return (await compiled.run({ tokens, position: 0, cache })).outputs['logits']
}

test.each([
  ['llama, tied head, a key head for each query head', 3, 8],
  ['llama, grouped heads', 3, 6],
  ['qwen2', 3, 4],
  ['phi3', 4, 8],
  ['mistral, no window', 5, 5],
] as const)('%s at %d to %d bits gives the logits of its dequantised weights', async (name, seedBits, maxBits) => {
  const config = family(name)
  const packed = packModel(config, { seedBits, maxBits, seed: 7 })
  const out = await imported(await write(packed))
  await using model = await loadModel(out, { backend: 'reference' })
  expect(model.linears.map(({ module }) => module)).toEqual(packed.modules)
  for (let bits = seedBits; bits <= maxBits; bits++) {
    using cache = model.createCache(tokens.length)
    const { outputs } = await model.run({ tokens, position: 0, cache, ...policyOf(model.precision({ precision: bits })) })
    expect(outputs['logits']).toEqual(await logitsOfDense(config, packed.weightsAt(bits)))
  }
})

const policyOf = ({ policy }: { policy: Parameters<Awaited<ReturnType<typeof loadModel>>['run']>[0]['policy'] }) =>
  policy === undefined ? {} : { policy }

test('the folder holds the tensors, the tokenizer and the config without its section', async () => {
  const source = await write(tied)
  await writeFile(path.join(source, 'README.md'), 'not copied')
  const out = newFolder()
  const progress: number[] = []
  const result = await importAnyPrecision({ source, out, onProgress: (p) => progress.push(p.done / p.total) })
  expect(result).toEqual({
    directory: out,
    parameters: 300 * 64 + 64 + 2 * (2 * 64 + 4 * 64 * 64 + 3 * 64 * 96),
    layers: 2,
    vocabularySize: 300,
    seedBits: 3,
    maxBits: 8,
    modules: tied.modules,
  })
  expect(progress.at(-1)).toBe(1)
  expect((await readdir(out)).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json'])
  const config = JSON.parse(await readFile(path.join(out, 'config.json'), 'utf8'))
  const { anyprec: _, ...kept } = tied.config
  expect(config).toMatchObject(kept)
  expect(config.anyprec).toBeUndefined()
  expect(config.dpllm).toMatchObject({ format: 1, seedBits: 3, maxBits: 8 })
  expect(config.dpllm.quantizedModules['model.layers.1.mlp.down_proj']).toEqual({ bits: [3, 4, 5, 6, 7, 8], rows: 64, cols: 96 })
  expect(Object.keys(config.dpllm.quantizedModules)).toEqual(tied.modules)

  await using checkpoint = await openCheckpoint(out)
  // The tied head is the embedding.
  expect(checkpoint.tensors.has('lm_head.weight')).toBe(false)
  expect(checkpoint.tensors.size).toBe(tied.dense.size + 7 * tied.modules.length)
  for (const [name, tensor] of tied.dense) expect(await checkpoint.read(name)).toEqual(tensor)
})

test('safetensors with the same names give the same bytes', async () => {
  const fromTorch = await imported(await write(tied))
  const source = await write(tied)
  await rm(path.join(source, 'pytorch_model.bin'))
  const names = [...tied.tensors].sort(([a], [b]) => (a < b ? -1 : 1))
  await writeCheckpoint(
    source,
    names.map(([name, tensor]) => ({ name, ...tensor })),
  )
  const out = await imported(source)
  for (const file of ['model.safetensors', 'config.json']) {
    expect(Buffer.compare(await readFile(path.join(out, file)), await readFile(path.join(fromTorch, file)))).toBe(0)
  }
})

test('a single bit count with a table without a number is read', async () => {
  const packed = packModel(tiedConfig, { seedBits: 4, maxBits: 4, singleTable: true })
  const out = await imported(await write(packed))
  await using model = await loadModel(out, { backend: 'reference' })
  using cache = model.createCache(tokens.length)
  const { outputs } = await model.run({ tokens, position: 0, cache })
  expect(outputs['logits']).toEqual(await logitsOfDense(tiedConfig, packed.weightsAt(4)))
})

const section = tied.config['anyprec'] as { arch_config: object }
const withSection = (changes: object) => ({ ...tied.config, anyprec: { ...section, ...changes } })
const withArchitecture = (changes: object) => withSection({ arch_config: { ...section.arch_config, ...changes } })

test.each<[what: string, config: object, error: typeof FileFormatError | typeof UnsupportedError, message: RegExp]>([
  [
    'no section',
    { ...tied.config, anyprec: undefined },
    FileFormatError,
    /config\.json: expected a model that Any-Precision LLM packed/,
  ],
  ['a section that is a number', { ...tied.config, anyprec: 3 }, FileFormatError, /config\.json: anyprec: /],
  ['groups', withSection({ group_count: 2 }), UnsupportedError, /group_count 2/],
  ['a seed of 2 bits', withSection({ seed_precision: 2 }), UnsupportedError, /seed_precision 2; at least 3/],
  ['9 bits', withSection({ parent_precision: 9 }), FileFormatError, /anyprec\.parent_precision/],
  [
    'fewer bits than its seed',
    withSection({ seed_precision: 8, parent_precision: 3 }),
    FileFormatError,
    /anyprec\.seed_precision: expected at most parent_precision 3/,
  ],
  [
    'more bits than planes',
    withSection({ seed_precision: 4, parent_precision: 4 }),
    FileFormatError,
    /qweight: expected shape \[4,64,2\]/,
  ],
  ['no modules', withArchitecture({ module_names: [] }), FileFormatError, /anyprec\.arch_config\.module_names/],
  [
    'modules that the model does not have',
    withArchitecture({ module_names: ['self_attn.x_proj'] }),
    FileFormatError,
    /self_attn\.x_proj\.weight: config\.json says that it is quantized/,
  ],
  [
    'a norm as a module',
    withArchitecture({ module_names: ['input_layernorm'] }),
    FileFormatError,
    /input_layernorm\.weight: config\.json says/,
  ],
  ['layers of another name', withArchitecture({ layers_name: 'h' }), FileFormatError, /model\.h\.0/],
  [
    'fewer modules than are packed',
    withArchitecture({ module_names: ['mlp.up_proj'] }),
    FileFormatError,
    /q_proj\.weight: the model needs this tensor/,
  ],
  ['an unknown architecture', { ...tied.config, architectures: ['OPTForCausalLM'] }, UnsupportedError, /OPTForCausalLM/],
  [
    'another shape',
    { ...tied.config, intermediate_size: 128 },
    FileFormatError,
    /gate_proj\.qweight: expected shape \[8,128,2\]/,
  ],
  ['columns that cannot be packed', { ...tied.config, intermediate_size: 100 }, FileFormatError, /has 100 columns/],
  ['more blocks than are there', { ...tied.config, num_hidden_layers: 3 }, FileFormatError, /model\.layers\.2/],
])('a config with %s is refused, and nothing is left behind', async (_, config, type, message) => {
  const source = await write(tied, { config })
  const out = newFolder()
  const error = await importAnyPrecision({ source, out }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(type)
  expect((error as Error).message).toMatch(message)
  await expect(readdir(out)).rejects.toThrow(/ENOENT/)
})

/** The model with one tensor changed, as safetensors. */
async function changed(name: string, change: (tensor: Tensor) => Tensor): Promise<string> {
  const source = await write(tied)
  await rm(path.join(source, 'pytorch_model.bin'))
  const entries = [...tied.tensors].map(([n, tensor]) => ({ name: n, ...(n === name ? change(tensor) : tensor) }))
  await writeCheckpoint(source, entries)
  return source
}

const withElement = (at: number, bits: number) => (tensor: Tensor) => {
  const data = Uint16Array.from(tensor.data as Uint16Array)
  data[at] = bits
  return { ...tensor, data } as Tensor
}

test.each<[what: string, name: string, change: (tensor: Tensor) => Tensor, message: RegExp]>([
  [
    'NaN in a table',
    'model.layers.0.mlp.up_proj.lut3',
    withElement(5, 0x7e00),
    /up_proj\.lut3: element 5 is not a finite number/,
  ],
  [
    'an infinite table',
    'model.layers.0.mlp.up_proj.lut8',
    withElement(511, 0x7c00),
    /up_proj\.lut8: element 511 is not a finite/,
  ],
  [
    'a table that falls',
    'model.layers.1.mlp.up_proj.lut4',
    withElement(17, 0xfbff),
    /up_proj\.lut4: expected ascending values in every row, found -65504 after/,
  ],
  [
    'a table of another dtype',
    'model.layers.1.mlp.up_proj.lut4',
    (t) => ({ ...t, dtype: 'bf16' }) as Tensor,
    /lut4: expected dtype f16, found bf16/,
  ],
  [
    'planes of another dtype',
    'model.layers.1.mlp.up_proj.qweight',
    (t) => ({ ...t, dtype: 'f32', data: new Float32Array(t.data.length) }),
    /qweight: expected dtype i32, found f32/,
  ],
  [
    'NaN in the embedding',
    'model.embed_tokens.weight',
    withElement(100, 0x7e00),
    /model\.embed_tokens\.weight: element 100 is not a finite/,
  ],
])('%s is refused', async (_, name, change, message) => {
  const source = await changed(name, change)
  const out = newFolder()
  await expect(importAnyPrecision({ source, out })).rejects.toThrow(FileFormatError)
  await expect(importAnyPrecision({ source, out })).rejects.toThrow(message)
  await expect(readdir(out)).rejects.toThrow(/ENOENT/)
})

test('a table may begin its rows lower than the last one ended, and repeat values', async () => {
  const { data } = tied.tensors.get('model.layers.0.mlp.up_proj.lut3') as Tensor<'f16'>
  const source = await changed('model.layers.0.mlp.up_proj.lut3', withElement(3, data[2]))
  await expect(imported(source)).resolves.toBeDefined()
})

test('an existing folder is kept, and the source cannot be overwritten', async () => {
  const source = await write(tied)
  const out = await imported(source)
  await expect(importAnyPrecision({ source, out })).rejects.toThrow(/out: expected a folder that is not there yet/)
  await expect(importAnyPrecision({ source, out, overwrite: true })).resolves.toBeDefined()
  for (const where of [source, path.dirname(source)]) {
    await expect(importAnyPrecision({ source, out: where, overwrite: true })).rejects.toThrow(/another folder than the source/)
  }
  expect(await readdir(source)).toContain('pytorch_model.bin')
  await rm(path.join(source, 'pytorch_model.bin'))
  await expect(importAnyPrecision({ source, out: newFolder() })).rejects.toThrow(/pytorch_model\.bin or model\.safetensors/)
})

test('an abort leaves nothing behind', async () => {
  const source = await write(tied)
  const out = newFolder()
  const controller = new AbortController()
  const run = importAnyPrecision({
    source,
    out,
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  })
  await expect(run).rejects.toThrow('enough')
  await expect(readdir(out)).rejects.toThrow(/ENOENT/)
})

test('whatever happens to the bytes of the weights: a typed error or a model', async () => {
  const source = await write(tied)
  const file = path.join(source, 'pytorch_model.bin')
  const bytes = await readFile(file)
  const pickle = bytes.indexOf('\x80\x02c', 0, 'latin1')
  const directory = bytes.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'))
  // The beginning of the pickle and the end of the directory: elsewhere the same things follow again.
  const place = fc.oneof(
    fc.integer({ min: pickle, max: pickle + 4000 }),
    fc.integer({ min: directory - 500, max: bytes.length - 1 }),
  )
  let refusals = 0
  await fc.assert(
    fc.asyncProperty(place, fc.nat(255), async (at, byte) => {
      const copy = Buffer.from(bytes)
      copy[at] = byte
      await writeFile(file, copy)
      const out = path.join(folder, 'mutated')
      try {
        await importAnyPrecision({ source, out, overwrite: true })
      } catch (error) {
        refusals++
        expect(DpllmError.isInstance(error), String(error)).toBe(true)
      }
    }),
    { numRuns: 60 },
  )
  expect(refusals).toBeGreaterThan(10)
})
