import { DpllmError, FileFormatError, UnsupportedError } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseModelConfig } from './read-config.js'

const llama = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 2,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
}
const parse = (changes: object, options = {}) => parseModelConfig({ ...llama, ...changes }, 'config.json', options)

test('a Llama config', () => {
  const config = parse({ tie_word_embeddings: true })
  expect(config).toMatchObject({
    family: 'llama',
    headDim: 8,
    kvHeads: 4,
    contextLength: 512,
    tiedEmbeddings: true,
    qkNorm: false,
    fused: false,
  })
  expect(config.biases).toEqual({ qkv: false, o: false, mlp: false })
  expect(config.rope.frequencies).toHaveLength(4)
  expect(config.rope.frequencies[1]).toBeCloseTo(10_000 ** (-2 / 8), 7)
  expect(config.windows).toEqual([undefined, undefined])
})

test('what families add', () => {
  expect(parse({ architectures: ['Qwen2ForCausalLM'] }).biases).toEqual({ qkv: true, o: false, mlp: false })
  expect(parse({ architectures: ['Qwen3ForCausalLM'], head_dim: 16 })).toMatchObject({ qkNorm: true, headDim: 16 })
  expect(parse({ architectures: ['Phi3ForCausalLM'], sliding_window: 100 })).toMatchObject({ fused: true, windows: [100, 100] })
  expect(parse({ architectures: ['MistralForCausalLM'], sliding_window: null }).windows).toEqual([undefined, undefined])
  expect(parse({ attention_bias: true, mlp_bias: true }).biases).toEqual({ qkv: true, o: true, mlp: true })
  const qwen = { architectures: ['Qwen2ForCausalLM'], sliding_window: 64, max_window_layers: 1 }
  expect(parse({ ...qwen, use_sliding_window: false }).windows).toEqual([undefined, undefined])
  expect(parse({ ...qwen, use_sliding_window: true }).windows).toEqual([undefined, 64])
  expect(parse({ ...qwen, max_window_layers: undefined, use_sliding_window: true }).windows).toEqual([undefined, undefined])
  expect(parse({ ...qwen, layer_types: ['sliding_attention', 'full_attention'] }).windows).toEqual([64, undefined])
})

test('what families take where a config does not say', () => {
  expect(parse({ architectures: ['Qwen3ForCausalLM'] }).headDim).toBe(128)
  expect(parse({ architectures: ['Qwen2ForCausalLM'] }).headDim).toBe(8)
  expect(parse({ architectures: ['MistralForCausalLM'] }).windows).toEqual([4096, 4096])
  expect(parse({ architectures: ['Phi3ForCausalLM'] }).windows).toEqual([undefined, undefined])
  const qwen = { architectures: ['Qwen3ForCausalLM'], max_window_layers: 1 }
  expect(parse(qwen).windows).toEqual([undefined, undefined])
  expect(parse({ ...qwen, use_sliding_window: true }).windows).toEqual([undefined, 4096])
  expect(parse({ ...qwen, use_sliding_window: true, sliding_window: null }).windows).toEqual([undefined, undefined])
})

test('Llama 3 scaling keeps short wavelengths, divides long ones, blends between', () => {
  const rope = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 }
  const { frequencies } = parse({ head_dim: 128, rope_theta: 500_000, rope_scaling: rope }).rope
  const plain = (i: number) => 500_000 ** (-i / 64)
  expect(frequencies[0]).toBe(1)
  // Pair 63 has a wavelength of 2.6 million positions.
  expect(frequencies[63]).toBeCloseTo(plain(63) / 8, 12)
  // Pair 32 turns 8192 · 500000^(−1/2) / 2π = 1.84 times: smooth factor (1.84 − 1) / 3.
  const smooth = ((8192 * plain(32)) / (2 * Math.PI) - 1) / 3
  expect(frequencies[32]).toBeCloseTo(((1 - smooth) / 8 + smooth) * plain(32), 9)
})

test('rope_parameters of transformers 5 say what the fields of version 4 say', () => {
  const rope_parameters = { rope_type: 'default', rope_theta: 500_000, partial_rotary_factor: 0.75 }
  const { rope } = parse({ head_dim: 16, rope_parameters })
  expect(rope.frequencies).toHaveLength(6)
  expect(rope).toEqual(parse({ head_dim: 16, rope_theta: 500_000, partial_rotary_factor: 0.75 }).rope)
})

test('YaRN and LongRoPE', () => {
  const yarn = parse({
    head_dim: 128,
    rope_theta: 10_000,
    rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 4096 },
  }).rope
  expect(yarn.scale).toBeCloseTo(0.1 * Math.log(4) + 1, 12)
  // beta 32 and 1 at 4096 positions and 64 pairs: the ramp runs from pair 20 to pair 46.
  expect(yarn.frequencies[20]).toBeCloseTo(10_000 ** (-20 / 64), 7)
  expect(yarn.frequencies[46]).toBeCloseTo(10_000 ** (-46 / 64) / 4, 7)
  expect(yarn.frequencies[33]).toBeCloseTo(10_000 ** (-33 / 64) * (0.5 + 0.5 / 4), 7)

  // Without a factor, the ratio of the contexts.
  const ratio = { rope_type: 'yarn', original_max_position_embeddings: 128 }
  expect(parse({ rope_scaling: ratio }).rope).toEqual(parse({ rope_scaling: { ...ratio, factor: 4 } }).rope)
  expect(() => parse({ rope_scaling: { rope_type: 'yarn' } })).toThrow(/expected factor/)

  const phi = {
    architectures: ['Phi3ForCausalLM'],
    max_position_embeddings: 131_072,
    original_max_position_embeddings: 4096,
    head_dim: 8,
  }
  const rope_scaling = { type: 'longrope', short_factor: [1, 1, 1, 2], long_factor: [1, 2, 4, 8] }
  const short = parse({ ...phi, rope_scaling })
  expect(short.contextLength).toBe(4096)
  expect(short.rope.frequencies[3]).toBeCloseTo(10_000 ** (-3 / 4) / 2, 9)
  expect(short.rope.scale).toBeCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(4096)), 12)
  const long = parse({ ...phi, rope_scaling }, { contextLength: 8192 })
  expect(long.rope.frequencies[3]).toBeCloseTo(10_000 ** (-3 / 4) / 8, 9)
  expect(() => parse({ ...phi, rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [1] } })).toThrow(
    /rope_scaling.*4 values/,
  )
})

test('errors say what was wanted', () => {
  expect(() => parse({ architectures: ['GPT2LMHeadModel'] })).toThrow(UnsupportedError)
  expect(() => parse({ architectures: ['GPT2LMHeadModel'] })).toThrow(/GPT2LMHeadModel.*LlamaForCausalLM/)
  expect(() => parse({ hidden_size: -1 })).toThrow(FileFormatError)
  expect(() => parse({ hidden_size: 1e300 })).toThrow(/hidden_size/)
  expect(() => parse({ num_key_value_heads: 3 })).toThrow(/num_key_value_heads/)
  expect(() => parse({ hidden_size: 65 })).toThrow(/multiple/)
  expect(() => parse({ rope_scaling: { rope_type: 'llama3' } })).toThrow(/expected factor/)
  expect(() => parse({}, { contextLength: 1000 })).toThrow(/1 to 512/)
  expect(() => parse({ head_dim: 2 ** 31 })).toThrow(/head_dim: heads of 2147483648 values, at most 4096/)
  expect(() => parse({ hidden_size: 2 ** 31, num_attention_heads: 1, num_key_value_heads: 1 })).toThrow(/head_dim/)
  expect(() => parse({ hidden_act: 'relu' })).toThrow(/relu/)
  // Names that every object has.
  expect(() => parse({ architectures: ['__proto__'] })).toThrow(UnsupportedError)
  expect(() => parse({ hidden_act: 'toString' })).toThrow(UnsupportedError)
})

test('whatever the JSON is, only typed errors come out', () => {
  const keys = [...Object.keys(llama), 'rope_scaling', 'head_dim', 'dpllm', 'layer_types', 'sliding_window']
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
      try {
        parse({ [key]: value, num_hidden_layers: 2, ...(key === 'num_hidden_layers' ? { num_hidden_layers: value } : {}) })
      } catch (error) {
        expect(DpllmError.isInstance(error), String(error)).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})
