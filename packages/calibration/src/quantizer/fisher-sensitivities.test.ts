import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BitPlaneWeight, createReferenceBackend, dequantize, type Tensor } from '@dpllm/core'
import { openCheckpoint } from '@dpllm/core/node'
import { loadModel } from '@dpllm/runtime'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { calibrationWindows } from '../calibrate/windows.js'
import { measureFisher } from '../sensitivity/measure-gradients.js'
import { readFolder } from '../testing/read-folder.js'
import { writeTinyModel } from '../testing/tiny-model.js'
import { type QuantizeModelOptions, quantizeModel } from './quantize-model.js'
import { quantizeRows } from './quantize-rows.js'

const text = 'the quick brown fox jumps over the lazy dog. '.repeat(4)
const options = {
  sensitivity: 'fisher',
  backend: 'reference',
  calibrationText: text,
  sequenceLength: 32,
  shardBytes: 1,
} satisfies QuantizeModelOptions

let directory: string
let source: string
let out: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-fisher-'))
  source = join(directory, 'model')
  out = join(directory, 'out')
  await writeTinyModel(source)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** f32 [rows, cols] by module, measured apart. */
async function fisherOfSource(): Promise<Map<string, Float32Array>> {
  await using model = await loadModel(source, { backend: createReferenceBackend() })
  const windows = calibrationWindows(text, model.tokenizer, 32, 128, { keepRest: true })
  await using sums = await measureFisher(model, windows, { folder: await mkdtemp(join(directory, 'sums-')), fingerprint: 'test' })
  const all = new Map<string, Float32Array>()
  for (const [module, [rows]] of sums.shapes) all.set(module, await sums.readRows(module, 0, rows))
  return all
}

async function originalOf(module: string): Promise<Tensor<'f32'>> {
  await using checkpoint = await openCheckpoint(source)
  return (await checkpoint.read(module === 'lm_head' ? 'model.embed_tokens.weight' : `${module}.weight`)) as Tensor<'f32'>
}

async function quantizedOf(folder: string, module: string, [rows, cols]: readonly number[]): Promise<BitPlaneWeight> {
  await using checkpoint = await openCheckpoint(folder)
  const planes = (await checkpoint.read(`${module}.planes`)).data as Uint32Array
  const luts: Uint16Array[] = []
  for (let bits = 3; bits <= 8; bits++) luts.push((await checkpoint.read(`${module}.lut${bits}`)).data as Uint16Array)
  return { kind: 'bitPlanes', rows, cols, seedBits: 3, maxBits: 8, planes, luts }
}

test('weights count as much as their Fisher information, a tied head as much as that of the head', async () => {
  await quantizeModel(source, out, { ...options, fisherSmoothing: 0 })
  const fisher = await fisherOfSource()
  expect(fisher.size).toBe(15)
  for (const module of ['model.layers.0.self_attn.q_proj', 'model.layers.1.mlp.down_proj', 'lm_head']) {
    const { shape, data } = await originalOf(module)
    const wanted = quantizeRows(data, { cols: shape[1], sensitivities: fisher.get(module) })
    expect(await quantizedOf(out, module, shape)).toEqual(wanted)
    expect(wanted.planes).not.toEqual(quantizeRows(data, { cols: shape[1] }).planes)
  }
})

test('the error that Fisher information counts is lower, in every matrix, than with the weights of inputs', async () => {
  // Rows wide enough for all codes to be used.
  await rm(source, { recursive: true })
  await writeTinyModel(source, { config: { hidden_size: 160, intermediate_size: 192 } })
  await quantizeModel(source, out, { ...options, fisherSmoothing: 0 })
  await quantizeModel(source, `${out}-inputs`, { ...options, sensitivity: 'inputs' })
  for (const [module, fisher] of await fisherOfSource()) {
    const { shape, data } = await originalOf(module)
    const error = async (folder: string, bits: number) => {
      const found = dequantize(await quantizedOf(folder, module, shape), bits)
      return data.reduce((sum, x, i) => sum + fisher[i] * (x - found[i]) ** 2, 0)
    }
    for (const bits of [3, 4, 5]) {
      expect(await error(out, bits), `${module}, ${bits} bits`).toBeLessThan(await error(`${out}-inputs`, bits))
    }
  }
})

describe('unfinished work', () => {
  /** Stops when a stage has got so far. */
  async function interrupt(at: string, part: number, more: QuantizeModelOptions = {}): Promise<void> {
    const stop = new AbortController()
    const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) => {
      if (stage === at && done > part * total) stop.abort(new Error('enough'))
    }
    await expect(quantizeModel(source, out, { ...options, ...more, signal: stop.signal, onProgress })).rejects.toThrow('enough')
  }

  test('goes on with what is measured, group by group, and leaves none of it in the result', async () => {
    const grouped = { accumulatorBytes: 20000 }
    await interrupt('measure gradients', 0.5, grouped)
    const groups = (await readdir(`${out}.partial`)).filter((name) => name.startsWith('gradient-squares-'))
    expect(groups.length).toBeGreaterThan(0)
    await interrupt('quantize', 0.5, grouped)

    const stages = new Set<string>()
    await quantizeModel(source, out, { ...options, ...grouped, onProgress: ({ stage }) => stages.add(stage) })
    expect([...stages]).toEqual(['quantize'])
    const resumed = await readFolder(out)
    expect([...resumed.keys()].filter((name) => name.startsWith('gradient'))).toEqual([])
    await quantizeModel(source, `${out}-whole`, options)
    expect(resumed).toEqual(await readFolder(`${out}-whole`))
  })

  test('of another text is named, and overwrite drops it', async () => {
    await interrupt('quantize', 0)
    const file = (await readdir(`${out}.partial`)).find((name) => name.startsWith('gradient'))!
    for (const name of await readdir(`${out}.partial`)) if (name !== file) await rm(join(`${out}.partial`, name))
    const before = await readFolder(`${out}.partial`)
    const other = { ...options, calibrationText: `${text} more` }
    await expect(quantizeModel(source, out, other)).rejects.toThrow(/other settings.*gradient-squares/)
    expect(await readFolder(`${out}.partial`)).toEqual(before)
    await quantizeModel(source, out, { ...other, overwrite: true })
    await quantizeModel(source, `${out}-whole`, other)
    expect(await readFolder(out)).toEqual(await readFolder(`${out}-whole`))
  })

  test('that is measured serves other bit counts', async () => {
    await interrupt('measure gradients', 0.9)
    await interrupt('quantize', 0)
    await rm(join(`${out}.partial`, 'model-00001-of-00004.safetensors'))
    const stages = new Set<string>()
    await quantizeModel(source, out, { ...options, maxBits: 5, onProgress: ({ stage }) => stages.add(stage) })
    expect([...stages]).toEqual(['quantize'])
  })
})

test('a folder of sensitivities serves other runs on the same model and text', async () => {
  const sensitivityFolder = join(directory, 'kept', 'fisher')
  await quantizeModel(source, out, { ...options, sensitivityFolder })
  expect(await readdir(sensitivityFolder)).toEqual(['gradient-squares-lm_head.safetensors', 'input-moments.safetensors'])
  const stages = new Set<string>()
  const onProgress = ({ stage }: { stage: string }) => stages.add(stage)
  await quantizeModel(source, `${out}-2`, { ...options, sensitivityFolder, onProgress, maxBits: 4 })
  await quantizeModel(source, `${out}-3`, { ...options, sensitivityFolder, onProgress })
  expect([...stages]).toEqual(['quantize'])
  expect(await readFolder(`${out}-3`)).toEqual(await readFolder(out))

  const other = { ...options, sensitivityFolder, calibrationText: `${text} more` }
  await expect(quantizeModel(source, `${out}-4`, other)).rejects.toMatchObject({
    code: 'ERR_DPLLM_FILE',
    message: expect.stringMatching(/gradient-squares-lm_head\.safetensors: gradients of another model, text or settings/),
  })
  expect(await readdir(directory)).not.toContain('out-4.partial')
  await mkdir(join(directory, 'damaged'))
  await writeFile(join(directory, 'damaged', 'gradient-squares-x.safetensors'), 'no tensors')
  await expect(
    quantizeModel(source, `${out}-4`, { ...options, sensitivityFolder: join(directory, 'damaged') }),
  ).rejects.toMatchObject({ code: 'ERR_DPLLM_FILE' })
})

test('settings that cannot be are refused', async () => {
  const refused = (more: object, message: RegExp) =>
    expect(quantizeModel(source, out, { ...options, ...more })).rejects.toThrow(message)
  await refused({ sensitivity: 'hessian' }, /sensitivity: expected fisher, inputs, none/)
  await refused({ calibrationText: false }, /calibrationText: expected a text/)
  await refused({ calibrationText: '' }, /at least two tokens/)
  await refused({ sequenceLength: 1 }, /sequenceLength: expected/)
  await refused({ fisherSmoothing: 2 }, /fisherSmoothing: expected a number from 0 to 1/)
  await refused({ samples: 0 }, /samples: expected a positive integer/)
  expect(await readdir(directory)).toEqual(['model'])
})
