import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type BitPlaneWeight, dequantize, FileFormatError, toFloat16, UnsupportedError } from '@dpllm/core'
import { openCheckpoint, type TensorEntry, writeCheckpoint } from '@dpllm/core/node'
import { randomBitPlanes } from '@dpllm/core/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packModel } from '../../../test/any-precision-model.js'
import { sentencePieceTokenizer } from '../../../test/tokenizers.js'
import { torchSave } from '../../../test/torch-save/torch-save.js'
import { type BitPlaneModule, moduleTensors } from '../../folder/bit-plane-module.js'
import { addConfigSection } from '../../folder/config-section.js'
import { familyCases } from '../../models/testing/family-cases.js'
import { randomModel } from '../../models/testing/random-model.js'
import { openTorchCheckpoint } from '../torch/torch-checkpoint.js'
import { exportAnyPrecision } from './export-any-precision.js'
import { dequantizedHalves } from './half-precision.js'
import { importAnyPrecision } from './import-any-precision.js'

const family = (name: string) => familyCases.find((c) => c.name === name)!.config
const untied = family('llama, grouped heads')
const tied = family('llama, tied head, a key head for each query head')

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-export-'))
})
afterAll(() => rm(folder, { recursive: true }))
const newFolder = () => path.join(folder, String(count++))

const readConfig = async (directory: string) => JSON.parse(await readFile(path.join(directory, 'config.json'), 'utf8'))

test.each(['llama, tied head, a key head for each query head', 'llama, grouped heads', 'qwen2', 'phi3'])(
  '%s: a packed model that was imported is exported as it was, and imported again byte for byte',
  async (name) => {
    const packed = packModel(family(name), { maxBits: 6, seed: 3 })
    const source = newFolder()
    await mkdir(source)
    await writeFile(path.join(source, 'config.json'), JSON.stringify(packed.config))
    await writeFile(path.join(source, 'tokenizer.json'), JSON.stringify(sentencePieceTokenizer()))
    await writeFile(path.join(source, 'pytorch_model.bin'), torchSave(packed.stateDict))
    const [ours, exported, again] = [newFolder(), newFolder(), newFolder()]
    await importAnyPrecision({ source, out: ours })
    const result = await exportAnyPrecision({ model: ours, out: exported })
    const head = packed.config['tie_word_embeddings'] ? 'tied' : 'dense'
    expect(result).toEqual({ directory: exported, seedBits: 3, maxBits: 6, modules: packed.modules.length, head })
    expect((await readdir(exported)).sort()).toEqual(['config.json', 'pytorch_model.bin', 'tokenizer.json'])

    const { dpllm, ...config } = await readConfig(exported)
    expect(dpllm).toBeUndefined()
    expect(config).toEqual({ ...packed.config, torch_dtype: 'float16' })
    await using theirs = await openTorchCheckpoint(exported)
    expect([...theirs.tensors.keys()].sort()).toEqual(
      [...packed.tensors.keys(), ...(head === 'tied' ? ['lm_head.weight'] : [])].sort(),
    )
    for (const [tensorName, tensor] of packed.tensors) expect(await theirs.read(tensorName)).toEqual(tensor)
    if (head === 'tied') {
      expect((await theirs.read('lm_head.weight')).data).toEqual(packed.tensors.get('model.embed_tokens.weight')!.data)
    }

    await importAnyPrecision({ source: exported, out: again })
    const bytes = (directory: string) => readFile(path.join(directory, 'model.safetensors'))
    expect(Buffer.compare(await bytes(again), await bytes(ours))).toBe(0)
    expect((await readConfig(again)).dpllm).toEqual((await readConfig(ours)).dpllm)
  },
)

interface OurModel {
  readonly config?: object
  /** Whether the head is bit-planes. */
  readonly head?: boolean
  readonly dtype?: (name: string) => 'f32' | 'bf16'
  /** Bits of a module; false leaves it dense. */
  readonly bits?: (module: string) => [number, number] | false
  readonly change?: (entries: TensorEntry[]) => TensorEntry[]
}

/** A folder as quantizeModel writes them: linears of the blocks are bit-planes, the rest is F32 or BF16. */
async function writeOurs(
  config: typeof untied,
  { head = false, dtype = () => 'f32', bits = () => [3, 8], change = (e) => e }: OurModel = {},
) {
  const directory = newFolder()
  await mkdir(directory)
  const modules: BitPlaneModule[] = []
  const weights = new Map<string, BitPlaneWeight>()
  const entries: TensorEntry[] = []
  const dense = randomModel(config, 5)
  const shapes = new Map([...dense].map(([name, { shape }]) => [name, shape]))
  if (head) shapes.set('lm_head.weight', [config.vocab_size, config.hidden_size])
  for (const [name, shape] of shapes) {
    const module = name.replace(/\.weight$/, '')
    const range = module === 'lm_head' ? head && ([3, 8] as const) : /_proj\.weight$/.test(name) && bits(module)
    if (range === false) {
      const { data } = dense.get(name)!
      const top = Uint16Array.from(new Uint32Array(data.buffer), (word) => word >>> 16)
      entries.push(dtype(name) === 'f32' ? { name, dtype: 'f32', shape, data } : { name, dtype: 'bf16', shape, data: top })
      continue
    }
    const [seedBits, maxBits] = range
    const weight = randomBitPlanes(modules.length, shape[0], shape[1], seedBits, maxBits)
    const info = { name: module, rows: shape[0], cols: shape[1], seedBits, maxBits }
    modules.push(info)
    weights.set(module, weight)
    moduleTensors(info).forEach((declaration, i) => {
      entries.push({ ...declaration, data: i === 0 ? weight.planes : weight.luts[i - 1] })
    })
  }
  await writeCheckpoint(directory, change(entries))
  const [seedBits, maxBits] = [3, 8]
  await writeFile(path.join(directory, 'config.json'), addConfigSection(JSON.stringify(config), { seedBits, maxBits }, modules))
  return { directory, weights, dense }
}

test('what is not quantized becomes halves, whatever it was', async () => {
  const { directory, dense } = await writeOurs(untied, { dtype: (name) => (name.includes('norm') ? 'bf16' : 'f32') })
  const out = newFolder()
  await exportAnyPrecision({ model: directory, out })
  await using theirs = await openTorchCheckpoint(out)
  for (const name of ['model.embed_tokens.weight', 'lm_head.weight']) {
    const { shape, data } = dense.get(name)!
    expect(await theirs.read(name)).toEqual({ dtype: 'f16', shape, data: toFloat16(data) })
  }
  const { shape, data } = dense.get('model.norm.weight')!
  const truncated = Float32Array.from(new Float32Array(new Uint32Array(data.buffer).map((word) => word & 0xffff0000).buffer))
  expect(await theirs.read('model.norm.weight')).toEqual({ dtype: 'f16', shape, data: toFloat16(truncated) })
  expect((await readConfig(out)).anyprec).toEqual({
    seed_precision: 3,
    parent_precision: 8,
    group_count: 1,
    arch_config: {
      module_names: ['q', 'k', 'v', 'o']
        .map((n) => `self_attn.${n}_proj`)
        .concat(['mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj']),
      model_name: 'model',
      layers_name: 'layers',
    },
  })
})

test('a quantized head becomes dense at its most bits, or the embedding that it is tied to', async () => {
  const ours = await writeOurs(untied, { head: true })
  const out = newFolder()
  expect(await exportAnyPrecision({ model: ours.directory, out })).toMatchObject({ head: 'dense', modules: 14 })
  await using theirs = await openTorchCheckpoint(out)
  const values = dequantize(ours.weights.get('lm_head')!, 8)
  expect(await theirs.read('lm_head.weight')).toEqual({ dtype: 'f16', shape: [300, 64], data: toFloat16(values) })

  const tiedOut = newFolder()
  const { directory } = await writeOurs(tied, { head: true })
  expect(await exportAnyPrecision({ model: directory, out: tiedOut })).toMatchObject({ head: 'tied' })
  await using tiedTheirs = await openTorchCheckpoint(tiedOut)
  expect((await tiedTheirs.read('lm_head.weight')).data).toEqual((await tiedTheirs.read('model.embed_tokens.weight')).data)
  expect([...tiedTheirs.tensors.keys()].filter((name) => name.startsWith('lm_head'))).toEqual(['lm_head.weight'])
})

test('planes and tables are exported bit by bit, with fewer bits too', async () => {
  const { directory, weights } = await writeOurs(untied, { bits: () => [4, 6] })
  const [out, back] = [newFolder(), newFolder()]
  await exportAnyPrecision({ model: directory, out })
  await importAnyPrecision({ source: out, out: back })
  await using checkpoint = await openCheckpoint(back)
  for (const [module, { planes, luts }] of weights) {
    expect((await checkpoint.read(`${module}.planes`)).data).toEqual(planes)
    for (const [i, lut] of luts.entries()) expect((await checkpoint.read(`${module}.lut${4 + i}`)).data).toEqual(lut)
  }
})

test.each<[what: string, config: typeof untied, ours: OurModel, message: RegExp]>([
  [
    'linears of several bit ranges',
    untied,
    { bits: (m) => (m.endsWith('1.mlp.up_proj') ? [3, 7] : [3, 8]) },
    /q_proj has 3 to 8 and .*1\.mlp\.up_proj 3 to 7/,
  ],
  ['blocks that differ', untied, { bits: (m) => !m.endsWith('1.mlp.up_proj') && [3, 8] }, /block 1 differs/],
  [
    'columns that are no multiple of 32',
    { ...untied, intermediate_size: 100 },
    {},
    /multiples of 32 columns, but .*down_proj has 100/,
  ],
  ['nothing quantized but the head', untied, { bits: () => false, head: true }, /not quantized/],
])('a model with %s cannot be exported', async (_, config, ours, message) => {
  const { directory } = await writeOurs(config, ours)
  const out = newFolder()
  await expect(exportAnyPrecision({ model: directory, out })).rejects.toThrow(UnsupportedError)
  await expect(exportAnyPrecision({ model: directory, out })).rejects.toThrow(message)
  await expect(readdir(out)).rejects.toThrow(/ENOENT/)
})

test('an original model cannot be exported', async () => {
  const directory = newFolder()
  await mkdir(directory)
  await writeFile(path.join(directory, 'config.json'), JSON.stringify(untied))
  await expect(exportAnyPrecision({ model: directory, out: newFolder() })).rejects.toThrow(
    /is not quantized \(run dpllm quantize first\)/,
  )
})

const withFirst = (name: string, value: number) => (entries: TensorEntry[]) =>
  entries.map((entry) => {
    if (entry.name !== name) return entry
    const data = (entry.data as Float32Array | Uint16Array).slice()
    data[1] = value
    return { ...entry, data }
  })

test.each<[what: string, change: (entries: TensorEntry[]) => TensorEntry[], message: RegExp]>([
  [
    'a weight beyond half precision',
    withFirst('model.norm.weight', 1e6),
    /model\.norm\.weight: holds 1000000, which is no finite number in half precision/,
  ],
  ['a weight that is no number', withFirst('model.norm.weight', Number.NaN), /model\.norm\.weight: holds NaN/],
  ['a table that falls', withFirst('model.layers.0.mlp.up_proj.lut3', 0xfbff), /up_proj\.lut3: expected ascending values/],
  [
    'a table missing',
    (entries) => entries.filter(({ name }) => name !== 'model.layers.0.mlp.up_proj.lut5'),
    /up_proj\.lut5: the model needs this tensor/,
  ],
])('%s is a typed error, and nothing is left behind', async (_, change, message) => {
  const { directory } = await writeOurs(untied, { change })
  const out = newFolder()
  await expect(exportAnyPrecision({ model: directory, out })).rejects.toThrow(FileFormatError)
  await expect(exportAnyPrecision({ model: directory, out })).rejects.toThrow(message)
  await expect(readdir(out)).rejects.toThrow(/ENOENT/)
})

test('a head is made dense in pieces', async () => {
  const { directory, weights } = await writeOurs(untied, { head: true, bits: () => [3, 3] })
  await using checkpoint = await openCheckpoint(directory)
  const [planes, ...tables] = ['planes', 'lut3', 'lut4', 'lut5', 'lut6', 'lut7', 'lut8'].map(
    (n) => checkpoint.tensors.get(`lm_head.${n}`)!,
  )
  const head = { name: 'lm_head', rows: 300, cols: 64, seedBits: 3, maxBits: 8, planes, tables }
  const expected = toFloat16(dequantize(weights.get('lm_head')!, 8))
  for (const weightsAtOnce of [1, 64 * 7, 64 * 299, 64 * 300]) {
    const pieces: number[] = []
    for await (const piece of dequantizedHalves(checkpoint, head, { weightsAtOnce })) pieces.push(...piece)
    expect(Uint16Array.from(pieces)).toEqual(expected)
  }
})
