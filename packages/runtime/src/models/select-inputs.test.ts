import { checkProgram, createReferenceBackend, type Program, staticPolicy, type Weight } from '@dpllm/core'
import { randomBitPlanes } from '@dpllm/core/testing'
import { describe, expect, test } from 'vitest'
import { parseModelConfig } from '../config/read-config.js'
import { decoderProgram } from './decoder.js'
import { selectInputKinds } from './select-inputs.js'
import { familyCases } from './testing/family-cases.js'
import { randomModel, randomTokens } from './testing/random-model.js'

const separate = { self_attn: ['q_proj', 'k_proj', 'v_proj', 'o_proj'], mlp: ['gate_proj', 'up_proj', 'down_proj'] }
const fused = { self_attn: ['qkv_proj', 'o_proj'], mlp: ['gate_up_proj', 'down_proj'] }

/** A family's model with three blocks, all linears of which are quantized. */
function quantized(name: string) {
  const { config } = familyCases.find((c) => c.name === name)!
  const { self_attn, mlp } = name === 'phi3' ? fused : separate
  const modules = [0, 1, 2].flatMap((i) =>
    [...self_attn.map((m) => `self_attn.${m}`), ...mlp.map((m) => `mlp.${m}`)].map((m) => `model.layers.${i}.${m}`),
  )
  const dpllm = {
    format: 1,
    seedBits: 3,
    maxBits: 5,
    quantizedModules: Object.fromEntries(modules.map((module) => [module, { bits: [3, 4, 5] }])),
  }
  const raw = { ...config, num_hidden_layers: 3 }
  return { raw, config: parseModelConfig({ ...raw, dpllm }, 'config.json'), modules }
}

/** What the select of each linear reads; what the linear itself reads, marked by =. */
function wiring({ operators }: Program): Record<string, string> {
  return Object.fromEntries(
    operators.flatMap((op) => {
      if (op.kind !== 'select') return []
      const linear = operators.find((other) => other.kind === 'linear' && other.weight === op.weight)
      const own = linear?.kind === 'linear' && linear.x === op.x ? '=' : ''
      return [[op.weight.replace(/^model\.layers\.|\.weight$/g, ''), own + op.x]]
    }),
  )
}

/** By what a norm is of and which weight it has. */
function normOf({ operators }: Program, out: string) {
  const op = operators.find((other) => other.kind === 'rmsNorm' && other.out === out)
  return op?.kind === 'rmsNorm' ? [op.x, op.weight] : undefined
}

test('asynchronous selects read what DP-LLM reads (algorithms of §5.2), block 0 included', () => {
  expect(wiring(decoderProgram(quantized('llama, grouped heads').config, { selectInputs: 'asynchronous' }).program)).toEqual({
    '0.self_attn.q_proj': '=layers.0.attentionNorm',
    '0.self_attn.k_proj': '=layers.0.attentionNorm',
    '0.self_attn.v_proj': '=layers.0.attentionNorm',
    '0.self_attn.o_proj': '=layers.0.attention',
    '0.mlp.gate_proj': 'layers.0.earlierMlpNorm',
    '0.mlp.up_proj': 'layers.0.earlierMlpNorm',
    '0.mlp.down_proj': '=layers.0.gated',
    ...Object.fromEntries(
      [1, 2].flatMap((i) => [
        [`${i}.self_attn.q_proj`, `layers.${i}.earlierAttentionNorm`],
        [`${i}.self_attn.k_proj`, `layers.${i}.earlierAttentionNorm`],
        [`${i}.self_attn.v_proj`, `layers.${i}.earlierAttentionNorm`],
        [`${i}.self_attn.o_proj`, `=layers.${i}.attention`],
        [`${i}.mlp.gate_proj`, `layers.${i}.earlierMlpNorm`],
        [`${i}.mlp.up_proj`, `layers.${i}.earlierMlpNorm`],
        [`${i}.mlp.down_proj`, `=layers.${i}.gated`],
      ]),
    ),
  })
  expect(wiring(decoderProgram(quantized('phi3').config, { selectInputs: 'asynchronous' }).program)).toEqual({
    '0.self_attn.qkv_proj': '=layers.0.attentionNorm',
    '0.self_attn.o_proj': '=layers.0.attention',
    '0.mlp.gate_up_proj': 'layers.0.earlierMlpNorm',
    '0.mlp.down_proj': '=layers.0.gated',
    ...Object.fromEntries(
      [1, 2].flatMap((i) => [
        [`${i}.self_attn.qkv_proj`, `layers.${i}.earlierAttentionNorm`],
        [`${i}.self_attn.o_proj`, `=layers.${i}.attention`],
        [`${i}.mlp.gate_up_proj`, `layers.${i}.earlierMlpNorm`],
        [`${i}.mlp.down_proj`, `=layers.${i}.gated`],
      ]),
    ),
  })
})

test('residual selects all read the residual before the preceding sub-block', () => {
  for (const name of ['llama, grouped heads', 'phi3']) {
    const { config, modules } = quantized(name)
    const found = wiring(decoderProgram(config, { selectInputs: 'residual' }).program)
    for (const module of modules) {
      const [, layer, part] = /layers\.(\d)\.(self_attn|mlp)/.exec(module)!
      const attention = layer === '0' ? 'attentionNorm' : 'earlierAttentionNorm'
      const isOwn = layer === '0' && /(q|k|v|qkv)_proj$/.test(module)
      expect([module, found[module.replace('model.layers.', '')]]).toEqual([
        module,
        `${isOwn ? '=' : ''}layers.${layer}.${part === 'mlp' ? 'earlierMlpNorm' : attention}`,
      ])
    }
  }
})

test('the earlier norms are those of the consumer on the residual before the preceding sub-block, in every program', () => {
  for (const selectInputs of [undefined, ...selectInputKinds]) {
    const { program } = decoderProgram(quantized('llama, grouped heads').config, { selectInputs })
    expect(normOf(program, 'layers.0.earlierAttentionNorm')).toBeUndefined()
    // That which enters the MLP norm of block 0, and that which enters the attention norm of block 1.
    expect(normOf(program, 'layers.1.earlierAttentionNorm')).toEqual([
      normOf(program, 'layers.0.mlpNorm')![0],
      'model.layers.1.input_layernorm.weight',
    ])
    expect(normOf(program, 'layers.0.earlierMlpNorm')).toEqual(['embedding', 'model.layers.0.post_attention_layernorm.weight'])
    expect(normOf(program, 'layers.1.earlierMlpNorm')).toEqual([
      normOf(program, 'layers.1.attentionNorm')![0],
      'model.layers.1.post_attention_layernorm.weight',
    ])
  }
  const own = wiring(decoderProgram(quantized('phi3').config).program)
  expect(Object.values(own).every((x) => x.startsWith('='))).toBe(true)
})

describe.each(['llama, grouped heads', 'qwen3', 'phi3'])('%s', (name) => {
  test('what selects read changes neither logits under fixed bits nor the weights', async () => {
    const { raw, config, modules } = quantized(name)
    const own = decoderProgram(config)
    const weights = new Map<string, Weight>(randomModel(raw, 3))
    const { frequencies } = config.rope
    weights.set(own.frequencies, { dtype: 'f32', shape: [frequencies.length], data: frequencies })
    for (const [i, module] of modules.entries()) {
      const [rows, cols] = (weights.get(`${module}.weight`) as { shape: readonly number[] }).shape
      weights.set(`${module}.weight`, randomBitPlanes(i, rows, cols, 3, 5))
    }
    const policy = staticPolicy(modules.map((_, i) => 3 + (i % 3)))
    const tokens = randomTokens(5, config.vocabularySize, 4)
    const found: Float32Array[] = []
    for (const selectInputs of selectInputKinds) {
      const { program, weights: read } = decoderProgram(config, { selectInputs })
      expect(read).toEqual(own.weights)
      expect(() => checkProgram(program, weights)).not.toThrow()
      await using compiled = await createReferenceBackend().compile(program, weights)
      using cache = compiled.createCache(tokens.length)
      const { outputs, bits } = await compiled.run({ tokens, position: 0, cache, policy })
      expect(bits[tokens.length]).toBe(4)
      found.push(outputs['logits'])
    }
    expect(found[0].some((logit) => logit !== found[0][0])).toBe(true)
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
  })
})
