import type { StateDictConfig } from './state-dict.js'

/** A small model of a family: its config.json and the positions to make room for. */
export interface FamilyCase {
  readonly name: string
  readonly config: StateDictConfig & Readonly<Record<string, unknown>>
  readonly contextLength?: number
}

// The epsilon is far larger than of any real model, so that it shows.
const llama = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 300,
  max_position_embeddings: 1024,
  rms_norm_eps: 0.02,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
}
const mistral = { ...llama, architectures: ['MistralForCausalLM'] }
const qwen2 = { ...llama, architectures: ['Qwen2ForCausalLM'], rope_theta: 1_000_000 }
const qwen3 = { ...llama, architectures: ['Qwen3ForCausalLM'], rope_theta: 1_000_000, head_dim: 24 }
const phi3 = { ...llama, architectures: ['Phi3ForCausalLM'] }
const longrope = {
  original_max_position_embeddings: 512,
  rope_scaling: {
    type: 'longrope',
    short_factor: [1, 1.05, 1.1, 1.2, 1.3, 1.5, 1.7, 2],
    long_factor: [1.1, 1.3, 1.7, 2, 2.5, 3, 4, 6],
  },
}
// Rotary scalings are made for contexts so short that 40 positions tell them from one another.
const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 256 }

/** A model for everything in which families differ: norms, biases, fused projections, heads, windows, rotary scaling. */
export const familyCases: readonly FamilyCase[] = [
  { name: 'llama, grouped heads', config: llama },
  {
    name: 'llama, tied head, a key head for each query head',
    config: { ...llama, tie_word_embeddings: true, num_key_value_heads: 4 },
  },
  { name: 'llama, one key head', config: { ...llama, num_key_value_heads: 1 } },
  { name: 'llama, biases everywhere', config: { ...llama, attention_bias: true, mlp_bias: true } },
  { name: 'llama, linear scaling', config: { ...llama, rope_scaling: { type: 'linear', factor: 3 } } },
  {
    name: 'llama, llama3 scaling',
    config: {
      ...llama,
      rope_scaling: {
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      },
    },
  },
  { name: 'llama, yarn', config: { ...llama, rope_scaling: yarn } },
  {
    name: 'mistral, yarn with its own ramp and magnitude',
    config: { ...mistral, rope_scaling: { ...yarn, beta_fast: 16, beta_slow: 0.5, mscale: 1, mscale_all_dim: 0.4 } },
  },
  { name: 'mistral, no window', config: { ...mistral, sliding_window: null } },
  { name: 'mistral, heads wider than the model', config: { ...mistral, sliding_window: null, head_dim: 24 } },
  { name: 'mistral, window of 8', config: { ...mistral, sliding_window: 8 } },
  { name: 'qwen2', config: qwen2 },
  { name: 'qwen2, tied head', config: { ...qwen2, tie_word_embeddings: true } },
  {
    name: 'qwen2, window of 8 from the second layer on',
    config: { ...qwen2, use_sliding_window: true, sliding_window: 8, max_window_layers: 1 },
  },
  { name: 'qwen3', config: qwen3 },
  { name: 'qwen3, tied head', config: { ...qwen3, tie_word_embeddings: true } },
  { name: 'phi3', config: phi3 },
  {
    name: 'phi3, tied head, three quarters of a head rotated',
    config: { ...phi3, tie_word_embeddings: true, partial_rotary_factor: 0.75 },
  },
  { name: 'phi3, longrope within the original context', config: { ...phi3, ...longrope }, contextLength: 512 },
  { name: 'phi3, longrope beyond the original context', config: { ...phi3, ...longrope }, contextLength: 1024 },
]
