import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkProgram, createReferenceBackend, type FloatTensor, toFloat32 } from '@dpllm/core'
import { decoderProgram, loadModel, type Model } from '@dpllm/runtime'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTinyModel } from '../testing/tiny-model.js'
import { blockImportance } from './block-importance.js'
import { blockResiduals, logitLens } from './logit-lens.js'
import { measureBlockImportance } from './measure-block-importance.js'

const layers = 3
const windows = [Uint32Array.of(1, 5, 9, 20, 4, 7), Uint32Array.of(1, 30, 2, 2, 11)]

let directory: string
let model: Model
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dpllm-lsaq-'))
  await writeTinyModel(directory, {
    config: { num_hidden_layers: layers, tie_word_embeddings: false },
    // Norms that do something, and blocks that change the residual stream.
    edit: ({ name, shape, data }) => ({
      name,
      shape,
      data: data.map((x, i) => (name.endsWith('norm.weight') ? 1 + x * (i % 5) : 4 * x)),
    }),
  })
  model = await loadModel(directory, { backend: createReferenceBackend() })
})
afterAll(async () => {
  await model[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const dense = (name: string) => toFloat32(model.weights.get(name) as FloatTensor)

/** Logits [V] that one row of the residual stream predicts, as the formula says. */
function predict(x: Float32Array): number[] {
  const [norm, head] = [dense('model.norm.weight'), dense('lm_head.weight')]
  const scale = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + model.config.rmsNormEps)
  const normed = Array.from(x, (v, i) => v * scale * norm[i])
  return Array.from({ length: model.config.vocabularySize }, (_, v) =>
    normed.reduce((sum, value, i) => sum + value * head[v * x.length + i], 0),
  )
}

/** For every value of the residual stream at the blocks' borders, the logits of all positions of a window. */
async function predictions(window: Uint32Array): Promise<number[][][]> {
  using cache = model.createCache(window.length)
  const names = blockResiduals(layers)
  const { outputs } = await model.run({ tokens: window, position: 0, cache, outputs: names })
  const D = model.config.hiddenSize
  return names.map((name) => Array.from(window, (_, t) => predict(outputs[name].subarray(t * D, (t + 1) * D))))
}

describe('a logit lens', () => {
  test('predicts from the residual stream at every border of a block, the last one as the model does', async () => {
    const { program, logits } = logitLens(decoderProgram(model.config).program, blockResiduals(layers))
    checkProgram(program, model.weights)
    expect(logits.length).toBe(layers + 1)
    expect(logits.at(-1)).toBe('logits')
    await using compiled = await model.backend.compile(program, model.weights)
    using cache = compiled.createCache(8)
    const [tokens] = windows
    const rows = tokens.map((_, t) => t)
    const { outputs } = await compiled.run({ tokens, position: 0, cache, rows, outputs: logits })
    const wanted = await predictions(tokens)
    logits.forEach((name, i) => {
      // f32 between operators.
      outputs[name].forEach((value, j) => {
        expect(value).toBeCloseTo(wanted[i].flat()[j], 4)
      })
    })
    expect(outputs[logits[0]]).not.toEqual(outputs[logits[1]])
  })

  test('refuses what has no such values', () => {
    const { program } = decoderProgram(model.config)
    expect(() => logitLens(program, ['layers.7.mlpResidual'])).toThrow(/residuals: expected names of the program's values/)
    const headless = { ...program, operators: program.operators.filter((op) => !('out' in op && op.out === 'logits')) }
    expect(() => logitLens(headless, ['embedding'])).toThrow(/program: expected one with linear that writes logits/)
  })
})

describe('block importance', () => {
  test('compares the likeliest tokens before and after each block, over all positions of all windows', async () => {
    const topK = [1, 5, 10]
    const found = await measureBlockImportance(model, windows, { topK })
    const all = await Promise.all(windows.map(predictions))
    topK.forEach((k, i) => {
      const top = (logits: number[]) =>
        Uint32Array.from([...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, k))
      const sets = (border: number) => all.flatMap((window) => window[border].map(top))
      const wanted = Array.from({ length: layers }, (_, layer) => blockImportance(sets(layer), sets(layer + 1)))
      expect(found[i].length).toBe(layers)
      found[i].forEach((importance, layer) => {
        expect(importance).toBeCloseTo(wanted[layer], 12)
      })
    })
    expect(found[2].every((importance) => importance > 0 && importance < 1)).toBe(true)
    expect(new Set(found[2]).size).toBe(layers)
    expect(await measureBlockImportance(model, windows)).toEqual([found[2]])
  })

  test('of a block that adds nothing is 0', async () => {
    const still = join(directory, 'still')
    await writeTinyModel(still, {
      edit: (tensor) => (/layers\.1\..*(o_proj|down_proj)/.test(tensor.name) ? { ...tensor, data: tensor.data.fill(0) } : tensor),
    })
    await using loaded = await loadModel(still, { backend: createReferenceBackend() })
    const [[first, second]] = await measureBlockImportance(loaded, windows)
    expect(first).toBeGreaterThan(0)
    expect(second).toBe(0)
  })

  test('of a model whose logits overflow is refused, with its name', async () => {
    const loud = join(directory, 'loud')
    await writeTinyModel(loud, {
      config: { tie_word_embeddings: false },
      edit: (tensor) => (tensor.name === 'model.norm.weight' ? { ...tensor, data: tensor.data.fill(3e38) } : tensor),
    })
    await using loaded = await loadModel(loud, { backend: createReferenceBackend() })
    await expect(measureBlockImportance(loaded, windows)).rejects.toMatchObject({
      code: 'ERR_DPLLM_NOT_FINITE',
      message: expect.stringContaining(`${loud}: lens.embedding.logits is`),
    })
  })

  test('refuses sizes and windows that cannot be, and sees an abort', async () => {
    await expect(measureBlockImportance(model, windows, { topK: [0] })).rejects.toThrow(/topK: expected whole numbers from 1 to/)
    await expect(measureBlockImportance(model, windows, { topK: [51] })).rejects.toThrow(/the 50 tokens/)
    await expect(measureBlockImportance(model, [])).rejects.toThrow(/windows: expected at least one token/)
    const stop = new AbortController()
    const onProgress = () => stop.abort(new Error('enough'))
    await expect(measureBlockImportance(model, windows, { signal: stop.signal, onProgress })).rejects.toThrow('enough')
  })
})
