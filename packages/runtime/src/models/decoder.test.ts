import { checkProgram, createReferenceBackend, type Program, type Weight } from '@dpllm/core'
import { randomBitPlanes, relativeError, sumTolerance } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { parseModelConfig } from '../config/read-config.js'
import { decoderProgram } from './decoder.js'
import { type FamilyCase, familyCases } from './testing/family-cases.js'
import { GOLDEN, llamaCppLogits } from './testing/llama-cpp-logits.js'
import { randomModel, randomTokens } from './testing/random-model.js'
import { stateDict } from './testing/state-dict.js'

/** The modules of one block that are quantized, in the order in which a step reads them. */
const separate = ['q_proj', 'k_proj', 'v_proj', 'o_proj']
  .map((m) => `self_attn.${m}`)
  .concat(['mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'])
const fused = ['self_attn.qkv_proj', 'self_attn.o_proj', 'mlp.gate_up_proj', 'mlp.down_proj']

describe.each(familyCases)('$name', (c) => {
  test('reads exactly the tensors of the checkpoint', () => {
    const { decoder } = dense(c)
    const read = decoder.weights.filter(({ name }) => name !== decoder.frequencies)
    expect(Object.fromEntries(read.map(({ name, shape }) => [name, shape]))).toEqual(
      Object.fromEntries(stateDict(c.config).map(([name, ...shape]) => [name, shape])),
    )
    expect(read).toHaveLength(stateDict(c.config).length)
  })

  test('is well formed, dense and quantized', () => {
    const { decoder, weights } = dense(c)
    expect(() => checkProgram(decoder.program, weights)).not.toThrow()
    expect(selects(decoder.program)).toEqual([])

    const blocks = Array.from({ length: c.config.num_hidden_layers }, (_, i) => `model.layers.${i}`)
    const modules = blocks.flatMap((at) =>
      (c.config.architectures[0].startsWith('Phi3') ? fused : separate).map((m) => `${at}.${m}`),
    )
    const quantized = decoderProgram(configOf(c, modules))
    expect(selects(quantized.program)).toEqual(modules.map((m) => `${m}.weight`))
    expect(quantized.weights).toEqual(decoder.weights)
    for (const module of modules) weights.set(`${module}.weight`, bitPlanes(weights.get(`${module}.weight`)!))
    expect(() => checkProgram(quantized.program, weights)).not.toThrow()
  })

  test('gives the logits of llama.cpp, in two steps', async () => {
    const { config, decoder, weights } = dense(c)
    const tokens = randomTokens(GOLDEN.tokens, config.vocabularySize, GOLDEN.tokenSeed)
    await using compiled = await createReferenceBackend().compile(decoder.program, weights)
    using cache = compiled.createCache(tokens.length)
    const found: number[] = []
    let position = 0
    for (const row of GOLDEN.rows) {
      const { outputs } = await compiled.run({ tokens: tokens.subarray(position, row + 1), position, cache })
      found.push(...GOLDEN.ids.map((id) => outputs['logits'][id]))
      position = row + 1
    }
    // The reference sums in f64, llama.cpp in f32: as much as an f32 sum of the longest kind is off, for every sum on the
    // longest way through the model: eight in a block (norm, q, scores, values, o, norm, gate, down), then norm and head.
    const sums = 8 * config.layers + 2
    const tolerance = sums * sumTolerance(Math.max(config.intermediateSize, config.heads * config.headDim))
    expect(relativeError(Float32Array.from(found), Float32Array.from(llamaCppLogits[c.name].flat()))).toBeLessThan(tolerance)
  })
})

test('every model has logits of llama.cpp, and those with logits are there', () => {
  expect(Object.keys(llamaCppLogits)).toEqual(familyCases.map((c) => c.name))
})

test('a quantized head is read apart from the embedding that it was tied to, at all its bits', () => {
  const c = familyCases.find(({ config }) => config.tie_word_embeddings)!
  const { weights } = dense(c)
  const { program, weights: read } = decoderProgram(configOf(c, ['lm_head']))
  expect(read.map(({ name }) => name)).toContain('lm_head.weight')
  expect(selects(program)).toEqual([])
  weights.set('lm_head.weight', bitPlanes(weights.get('model.embed_tokens.weight')!))
  expect(() => checkProgram(program, weights)).not.toThrow()
})

function configOf(c: FamilyCase, quantized?: readonly string[]) {
  const dpllm = quantized && {
    format: 1,
    seedBits: 3,
    maxBits: 4,
    quantizedModules: Object.fromEntries(quantized.map((module) => [module, { bits: [3, 4] }])),
  }
  const options = c.contextLength === undefined ? {} : { contextLength: c.contextLength }
  return parseModelConfig({ ...c.config, ...(dpllm ? { dpllm } : {}) }, 'config.json', options)
}

function dense(c: FamilyCase) {
  const config = configOf(c)
  const decoder = decoderProgram(config)
  const { frequencies } = config.rope
  const weights = new Map<string, Weight>(randomModel(c.config, GOLDEN.weightSeed))
  weights.set(decoder.frequencies, { dtype: 'f32', shape: [frequencies.length], data: frequencies })
  return { config, decoder, weights }
}

function bitPlanes(weight: Weight): Weight {
  const [rows, cols] = (weight as { shape: readonly number[] }).shape
  return randomBitPlanes(1, rows, cols, 3, 4)
}

function selects(program: Program): string[] {
  return program.operators.flatMap((op) => (op.kind === 'select' ? [op.weight] : []))
}
