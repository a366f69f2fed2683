import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DpllmError, FileFormatError, f16ToF32, InvalidArgumentError, type Policy } from '@dpllm/core'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packModel } from '../../../test/any-precision-model.js'
import { dpLlmFiles, type Found, finetunedName, projectionOf, writeDpLlmFolder } from '../../../test/dp-llm-files.js'
import { sentencePieceTokenizer } from '../../../test/tokenizers.js'
import { dict, int, opcodes, type PythonValue, storage, tensor, tuple } from '../../../test/torch-save/python-values.js'
import { torchSave } from '../../../test/torch-save/torch-save.js'
import { loadModel } from '../../model/load-model.js'
import { familyCases } from '../../models/testing/family-cases.js'
import type { Profile } from '../../profile/profile.js'
import { readProfile } from '../../profile/read-profile.js'
import { importAnyPrecision } from '../any-precision/import-any-precision.js'
import { importDpLlm } from './import-dp-llm.js'

const packed = packModel(familyCases.find((c) => c.name === 'llama, grouped heads')!.config, { maxBits: 6, seed: 11 })
const at = (block: number, name: string) =>
  packed.modules.find((m) => m.startsWith(`model.layers.${block}.`) && m.endsWith(name))!

/** Every way that a linear can be decided. */
const linears = new Map<string, Found>(
  packed.modules.map((module, i) => {
    const [, block, name] = /\.(\d+)\..*\.(\w+)$/.exec(module)!
    const cols = name === 'down_proj' ? 96 : 64
    return [`${block}.${name}`, { maxBits: 5, p: 3.25 + i / 100, threshold: 1, slope: 0.1, intercept: -0.05, r: 0.5, cols }]
  }),
)
const change = (key: string, found: Partial<Found>) => linears.set(key, { ...linears.get(key)!, ...found })
change('0.q_proj', { r: 0.96, threshold: 0.7, p: 3.5 })
change('0.k_proj', { r: -0.96, threshold: 2.9, p: 4.5 })
change('0.v_proj', { maxBits: 3, p: -1 })
change('0.o_proj', { p: 4 })
change('0.gate_proj', { threshold: Number.POSITIVE_INFINITY, r: 0.99 })
change('0.up_proj', { threshold: Number.NEGATIVE_INFINITY })
change('0.down_proj', { r: 0.9487 })
change('1.q_proj', { r: 0.94 })
change('1.k_proj', { r: Number.NaN, slope: Number.NaN })

let folder: string
let model: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-dp-llm-'))
  const source = path.join(folder, 'packed')
  await mkdir(source)
  await writeFile(path.join(source, 'config.json'), JSON.stringify(packed.config))
  await writeFile(path.join(source, 'tokenizer.json'), JSON.stringify(sentencePieceTokenizer()))
  await writeFile(path.join(source, 'pytorch_model.bin'), torchSave(packed.stateDict))
  model = path.join(folder, 'model')
  await importAnyPrecision({ source, out: model })
})
afterAll(() => rm(folder, { recursive: true }))

async function writeFiles(changes: Record<string, PythonValue | undefined> = {}): Promise<string> {
  const source = path.join(folder, `files-${count++}`)
  await writeDpLlmFolder(source, { ...dpLlmFiles(linears), ...changes })
  return source
}

function fixedTargets({ data: { policy } }: Profile) {
  if (policy.kind !== 'fixed') throw new Error(policy.kind)
  return policy.targets
}

/** A model of its own, without profiles. */
async function copyModel(): Promise<string> {
  const copy = path.join(folder, `model-${count++}`)
  await cp(model, copy, { recursive: true })
  await rm(path.join(copy, 'profiles'), { recursive: true, force: true })
  return copy
}

test('thresholds, pairs, regressions and projections become a profile', async () => {
  const directory = await copyModel()
  const result = await importDpLlm({ source: await writeFiles(), model: directory })
  expect(result.path).toBe(path.join(directory, 'profiles', 'dp-llm-5-imported.json'))
  expect(result.estimators).toEqual([{ targetBits: 3.5, none: 4, linear: 3, projection: 7 }])
  const { data, tensors: projections } = await readProfile(directory, 'dp-llm-5-imported')
  expect({ data, projections }).toEqual({ data: result.profile.data, projections: result.profile.tensors })
  expect(data).toMatchObject({ format: 2, method: 'dp-llm', memoryBudget: 5 })
  expect(data.policy).toMatchObject({ kind: 'fixed', selectInputs: 'asynchronous', estimator: 'projection' })
  expect(data.maxBits).toEqual(Object.fromEntries(packed.modules.map((module) => [module, module === at(0, 'v_proj') ? 3 : 5])))
  const [target] = fixedTargets(result.profile)
  expect(target.targetBits).toBe(3.5)
  const parameters = (module: string) => packed.weightsAt(3).get(`${module}.weight`)!.data.length
  const all = [...linears.values()].map(({ p }, i) => [p === -1 ? 3 : p, parameters(packed.modules[i])])
  const mean = all.reduce((sum, [p, n]) => sum + p * n, 0) / all.reduce((sum, [, n]) => sum + n, 0)
  expect(target.measuredBits).toBeCloseTo(mean, 12)

  const decisions = target.linears
  const linear = { kind: 'linear', slope: 0.1, intercept: -0.05 }
  expect(decisions[at(0, 'q_proj')]).toEqual({ low: 3, high: 4, threshold: Math.fround(0.7), estimator: linear })
  expect(decisions[at(0, 'k_proj')]).toEqual({ low: 4, high: 5, threshold: Math.fround(2.9), estimator: linear })
  // p = −1, whole p, infinite thresholds.
  expect(decisions[at(0, 'v_proj')]).toEqual({ low: 3, high: 3, threshold: null })
  expect(decisions[at(0, 'o_proj')]).toEqual({ low: 4, high: 4, threshold: null })
  expect(decisions[at(0, 'gate_proj')]).toEqual({ low: 3, high: 3, threshold: null })
  expect(decisions[at(0, 'up_proj')]).toEqual({ low: 4, high: 4, threshold: null })
  // R² of 0.90003 and 0.8836.
  expect(decisions[at(0, 'down_proj')].estimator).toEqual(linear)
  expect(decisions[at(1, 'q_proj')]).toEqual({ low: 3, high: 4, threshold: 1 })
  expect(decisions[at(1, 'k_proj')]).toEqual({ low: 3, high: 4, threshold: 1 })

  expect([...projections.keys()]).toEqual(
    ['q', 'k', 'v', 'o']
      .map((n) => `model.layers.1.self_attn.${n}_proj.3-4.projection`)
      .concat(['gate', 'up', 'down'].map((n) => `model.layers.1.mlp.${n}_proj.3-4.projection`)),
  )
  const expected = Float32Array.from(projectionOf('1.down_proj', linears.get('1.down_proj')!), f16ToF32)
  expect(projections.get('model.layers.1.mlp.down_proj.3-4.projection')).toEqual({
    dtype: 'f32',
    shape: [64, 96],
    data: expected,
  })
})

test('the model decides as the files say', async () => {
  const directory = await copyModel()
  await importDpLlm({ source: await writeFiles(), model: directory })
  await using loaded = await loadModel(directory, { backend: 'reference' })
  const policy = loaded.precision({ targetBits: 3.5 }).policy as Policy
  const tokens = Uint32Array.from({ length: 40 }, (_, i) => 3 + ((i * 37) % 290))
  // What selects of attention read in DP-LLM: in block 0 the linear's own input, then the residual before the preceding MLP.
  expect(loaded.selectInputs).toBe('asynchronous')
  const inputs = ['layers.0.attentionNorm', 'layers.1.earlierAttentionNorm']
  using cache = loaded.createCache(tokens.length)
  const { outputs, bits, estimates } = await loaded.run({ tokens, position: 0, cache, policy, outputs: ['logits', ...inputs] })
  const row = (module: string) => loaded.linears.findIndex((l) => l.module === module)
  const vector = (name: string, t: number) => outputs[name].subarray(64 * t, 64 * t + 64)
  const norm = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0))
  const seen = new Set<string>()
  tokens.forEach((_, t) => {
    const q0 = 0.1 * norm(vector('layers.0.attentionNorm', t)) - 0.05
    expect(estimates[row(at(0, 'q_proj')) * 40 + t]).toBeCloseTo(q0, 5)
    expect(bits[row(at(0, 'q_proj')) * 40 + t]).toBe(q0 > 0.7 ? 4 : 3)
    const x = vector('layers.1.earlierAttentionNorm', t)
    const matrix = projectionOf('1.v_proj', linears.get('1.v_proj')!)
    const product = Float32Array.from({ length: 64 }, (_, k) =>
      x.reduce((sum, v, i) => sum + v * f16ToF32(matrix[64 * k + i]), 0),
    )
    expect(estimates[row(at(1, 'v_proj')) * 40 + t]).toBeCloseTo(norm(product), 4)
    seen.add(`q ${q0 > 0.7}`)
    expect(bits[row(at(0, 'v_proj')) * 40 + t]).toBe(3)
    expect(bits[row(at(0, 'o_proj')) * 40 + t]).toBe(4)
    expect(bits[row(at(0, 'up_proj')) * 40 + t]).toBe(4)
  })
  expect(seen).toEqual(new Set(['q true', 'q false']))
})

test('folders of one budget become targets of one profile', async () => {
  const directory = await copyModel()
  const first = await writeFiles()
  const second = path.join(folder, `files-${count++}`)
  const higher = new Map([...linears].map(([key, found]) => [key, { ...found, p: found.maxBits === 3 ? -1 : 4.75 }]))
  await writeDpLlmFolder(second, dpLlmFiles(higher, '5.0', '4.75'))
  const done: number[] = []
  const { profile } = await importDpLlm({
    source: [second, first],
    model: directory,
    name: 'both',
    onProgress: (p) => done.push(p.done),
  })
  expect(done).toEqual([1, 2])
  expect(fixedTargets(profile).map((t) => t.targetBits)).toEqual([3.5, 4.75])
  const pairs = new Set([...profile.tensors.keys()].map((key) => key.split('.').at(-2)))
  expect(pairs).toEqual(new Set(['3-4', '4-5']))
  expect((await readProfile(directory, 'both')).tensors.size).toBe(profile.tensors.size)

  await expect(importDpLlm({ source: [first, first], model: directory, name: 'twice' })).rejects.toThrow(/every target once/)
  const other = path.join(folder, `files-${count++}`)
  await writeDpLlmFolder(
    other,
    dpLlmFiles(new Map([...linears].map(([k, f]) => [k, { ...f, maxBits: 4, p: 3.5 }])), '4.0', '3.25'),
  )
  await expect(importDpLlm({ source: [first, other], model: directory, name: 'x' })).rejects.toThrow(
    /folders of one memory budget/,
  )
  await expect(importDpLlm({ source: [], model: directory })).rejects.toThrow(/at least one folder/)
  expect(await readdir(path.join(directory, 'profiles'))).toEqual(['both.json', 'both.safetensors'])
})

test('names that say nothing are made up for by the means of the bits', async () => {
  const directory = await copyModel()
  const files = dpLlmFiles(linears)
  const source = path.join(folder, `files-${count++}`)
  const { [finetunedName('5.0', '3.5')]: finetuned, ...rest } = files
  await writeDpLlmFolder(source, { ...rest, 'finetuned_mine.pt': finetuned })
  const { profile } = await importDpLlm({ source, model: directory })
  expect(fixedTargets(profile)[0].targetBits).toBe(Math.round(100 * fixedTargets(profile)[0].measuredBits) / 100)
  expect(profile.data.memoryBudget).toBeGreaterThan(4.5)
  expect(profile.data.memoryBudget).toBeLessThan(5)
  expect(profile.name).toBe(`dp-llm-${profile.data.memoryBudget}-imported`)
})

test('a profile that is there is kept', async () => {
  const directory = await copyModel()
  const source = await writeFiles()
  const { path: file } = await importDpLlm({ source, model: directory })
  const text = await readFile(file, 'utf8')
  await expect(importDpLlm({ source, model: directory })).rejects.toThrow(/name: expected a profile that is not there yet/)
  await importDpLlm({ source, model: directory, overwrite: true })
  expect(await readFile(file, 'utf8')).toBe(text)
  await expect(importDpLlm({ source, model: directory, name: '../x' })).rejects.toThrow(InvalidArgumentError)
  const controller = new AbortController()
  controller.abort(new Error('enough'))
  await expect(importDpLlm({ source, model: directory, name: 'y', signal: controller.signal })).rejects.toThrow('enough')
  expect(await readdir(path.join(directory, 'profiles'))).toHaveLength(2)
})

const files = dpLlmFiles(linears)
const entriesOf = (name: string) => (files[name] as ReturnType<typeof dict>).dict
const without = (name: string, key: string) => ({
  [name]: dict(entriesOf(name).filter((_, i) => [...linears.keys()][i] !== key)),
})
const changed = (name: string, key: string, value: PythonValue) => ({
  [name]: dict(entriesOf(name).map(([k, v], i) => [k, [...linears.keys()][i] === key ? value : v])),
})
const f32 = (value: number) => tensor(storage('f32', Float32Array.of(value)), [])

test.each<[what: string, changes: Record<string, PythonValue | undefined>, message: RegExp]>([
  ['no thresholds', { 'T_d.pt': undefined }, /T_d\.pt: cannot be read: there is no such file/],
  ['no finetuned file', { [finetunedName('5.0', '3.5')]: undefined }, /expected one file finetuned_\*\.pt .*found 0/],
  ['two finetuned files', { 'finetuned_other.pt': int(1) }, /found 2/],
  ['a finetuned file of something else', { [finetunedName('5.0', '3.5')]: int(1) }, /expected a tuple of two dicts, found 1/],
  ['a list of bits', { 'max_mem_dict.pt': tuple(int(3)) }, /max_mem_dict\.pt: expected a dict by \(block, name\), found tuple/],
  ['other keys', { 'max_mem_dict.pt': dict([['q_proj', int(3)]]) }, /expected keys \(block, name\), found a string/],
  [
    'a key twice',
    { 'max_mem_dict.pt': dict([...entriesOf('max_mem_dict.pt'), [tuple(int(0), 'q_proj'), int(5)]]) },
    /\(0, 'q_proj'\): is there twice/,
  ],
  [
    'a block too many',
    { 'max_mem_dict.pt': dict([...entriesOf('max_mem_dict.pt'), [tuple(int(2), 'q_proj'), int(5)]]) },
    /\(2, 'q_proj'\): is no quantized linear/,
  ],
  [
    'a linear without a budget',
    without('max_mem_dict.pt', '1.o_proj'),
    /max_mem_dict\.pt: model\.layers\.1\.self_attn\.o_proj: has no entry/,
  ],
  [
    'a linear without a threshold',
    without('T_d.pt', '1.o_proj'),
    /model\.layers\.1\.self_attn\.o_proj: T_d\.pt has no threshold/,
  ],
  [
    'a linear without an estimator',
    without('jl_d.pt', '1.o_proj'),
    /jl_d\.pt: model\.layers\.1\.self_attn\.o_proj: expected a tensor, found None/,
  ],
  [
    'a linear without p',
    {
      [finetunedName('5.0', '3.5')]: tuple(
        dict(
          entriesOf('T_d.pt')
            .slice(1)
            .map(([k]) => [k, int(4)]),
        ),
        dict([]),
      ),
    },
    /q_proj: expected p from 3 to 8, or -1/,
  ],
  ['p of 2', { [finetunedName('5.0', '3.5')]: tuple(dict(entriesOf('T_d.pt').map(([k]) => [k, int(2)])), dict([])) }, /found 2/],
  [
    'more bits than the model',
    changed('max_mem_dict.pt', '1.o_proj', int(7)),
    /expected one of 3,4,5,6 bits, which the model has, found 7/,
  ],
  ['bits that are no number', changed('max_mem_dict.pt', '1.o_proj', 'five'), /o_proj: expected a number, found a string/],
  [
    'bits above the budget',
    changed('T_d.pt', '1.o_proj', tuple(int(5), int(6), f32(1))),
    /expected 3 <= low <= high <= 5 at target 3\.5, found low 5, high 6/,
  ],
  ['bits the wrong way round', changed('T_d.pt', '1.o_proj', tuple(int(4), int(3), f32(1))), /low <= high, found 4, 3/],
  [
    'a threshold that is no number',
    changed('T_d.pt', '1.o_proj', tuple(int(3), int(4), f32(Number.NaN))),
    /the threshold is not a number/,
  ],
  [
    'a threshold of two elements',
    changed('T_d.pt', '1.o_proj', tuple(int(3), int(4), tensor(storage('f32', new Float32Array(2)), [2]))),
    /expected a number, found tensor/,
  ],
  ['a threshold without bits', changed('T_d.pt', '1.o_proj', tuple(f32(1))), /expected a tuple of 3/],
  [
    'a regression of other bits',
    changed('linear_reg_d.pt', '0.q_proj', tuple(int(1), int(1), int(1), int(4), int(5))),
    /linear_reg_d\.pt is of 4 and 5 bits, but T_d\.pt of 3 and 4/,
  ],
  [
    'a matrix of other columns',
    changed('jl_d.pt', '1.o_proj', tensor(storage('f16', new Uint16Array(64)), [2, 32])),
    /expected f16 \[k,64\], found f16 \[2,32\]/,
  ],
  [
    'a matrix of ints',
    changed('jl_d.pt', '1.o_proj', tensor(storage('i64', new BigInt64Array(64)), [1, 64])),
    /expected f16 \[k,64\], found i64 \[1,64\]/,
  ],
  [
    'a matrix without rows',
    changed('jl_d.pt', '1.o_proj', tensor(storage('f16', new Uint16Array(0)), [0, 64])),
    /found f16 \[0,64\]/,
  ],
  [
    'a matrix with NaN',
    changed('jl_d.pt', '1.o_proj', tensor(storage('f16', new Uint16Array(64).fill(0x7e00)), [1, 64])),
    /element 0 is not a finite number/,
  ],
  ['code', { 'T_d.pt': opcodes('cos\nsystem\n', 'X\x02\0\0\0id', 0x85, 'R') }, /asks for os\.system/],
])('%s: a typed error, and no profile', async (_, changes, message) => {
  const directory = await copyModel()
  const run = importDpLlm({ source: await writeFiles(changes), model: directory })
  const error = await run.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(FileFormatError)
  expect((error as Error).message).toMatch(message)
  expect(await readdir(directory)).not.toContain('profiles')
})

test('an original model is refused', async () => {
  const directory = await copyModel()
  const { dpllm: _, ...config } = JSON.parse(await readFile(path.join(directory, 'config.json'), 'utf8'))
  await writeFile(path.join(directory, 'config.json'), JSON.stringify(config))
  await expect(importDpLlm({ source: await writeFiles(), model: directory })).rejects.toThrow(/model: expected a quantized model/)
})

test('whatever happens to the bytes: a typed error or a profile that loads', async () => {
  const directory = await copyModel()
  const source = await writeFiles()
  const names = await readdir(source)
  const original = new Map<string, Buffer>()
  for (const name of names) original.set(name, await readFile(path.join(source, name)))
  let imported = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(255), async (name, where, byte) => {
      const bytes = Buffer.from(original.get(name)!)
      bytes[where % Math.min(bytes.length, 3000)] = byte
      await writeFile(path.join(source, name), bytes)
      try {
        await importDpLlm({ source, model: directory, name: 'mutated', overwrite: true })
        await readProfile(directory, 'mutated')
        imported++
      } catch (error) {
        expect(DpllmError.isInstance(error), String(error)).toBe(true)
      } finally {
        await writeFile(path.join(source, name), original.get(name)!)
      }
    }),
    { numRuns: 150 },
  )
  expect(imported).toBeGreaterThan(5)
})
