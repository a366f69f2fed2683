/** Name and shape of a tensor of a checkpoint. */
export type NamedShape = readonly [name: string, ...shape: number[]]

/** The fields of config.json that decide the tensors of a checkpoint. */
export interface StateDictConfig {
  readonly architectures: readonly string[]
  readonly hidden_size: number
  readonly intermediate_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly num_key_value_heads: number
  readonly head_dim?: number
  readonly vocab_size: number
  readonly tie_word_embeddings?: boolean
  readonly attention_bias?: boolean
  readonly mlp_bias?: boolean
}

/**
 * Tensors of a model saved by Hugging Face transformers, in the order of its state_dict(): written down from the
 * modules of modeling_{llama,mistral,qwen2,qwen3,phi3}.py, without the code under test. A tied head is not saved.
 */
export function stateDict(config: StateDictConfig): NamedShape[] {
  const { hidden_size: D, intermediate_size: F, vocab_size: V } = config
  const family = config.architectures[0].replace('ForCausalLM', '')
  const headDim = config.head_dim ?? D / config.num_attention_heads
  const Q = config.num_attention_heads * headDim
  const KV = config.num_key_value_heads * headDim
  const linear = (name: string, rows: number, cols: number, bias = false): NamedShape[] => [
    [`${name}.weight`, rows, cols],
    ...(bias ? [[`${name}.bias`, rows] as const] : []),
  ]
  const attentionBias = (family === 'Llama' || family === 'Qwen3') && config.attention_bias === true
  const mlpBias = family === 'Llama' && config.mlp_bias === true
  const qkvBias = family === 'Qwen2' || attentionBias

  const attention = (at: string): NamedShape[] =>
    family === 'Phi3'
      ? [...linear(`${at}.o_proj`, D, Q), ...linear(`${at}.qkv_proj`, Q + 2 * KV, D)]
      : [
          ...linear(`${at}.q_proj`, Q, D, qkvBias),
          ...linear(`${at}.k_proj`, KV, D, qkvBias),
          ...linear(`${at}.v_proj`, KV, D, qkvBias),
          ...linear(`${at}.o_proj`, D, Q, attentionBias),
          ...(family === 'Qwen3' ? [[`${at}.q_norm.weight`, headDim] as const, [`${at}.k_norm.weight`, headDim] as const] : []),
        ]
  const mlp = (at: string): NamedShape[] =>
    family === 'Phi3'
      ? [...linear(`${at}.gate_up_proj`, 2 * F, D), ...linear(`${at}.down_proj`, D, F)]
      : [
          ...linear(`${at}.gate_proj`, F, D, mlpBias),
          ...linear(`${at}.up_proj`, F, D, mlpBias),
          ...linear(`${at}.down_proj`, D, F, mlpBias),
        ]
  const layers = Array.from({ length: config.num_hidden_layers }, (_, i) => `model.layers.${i}`).flatMap((at): NamedShape[] => [
    ...attention(`${at}.self_attn`),
    ...mlp(`${at}.mlp`),
    [`${at}.input_layernorm.weight`, D],
    [`${at}.post_attention_layernorm.weight`, D],
  ])
  return [
    ['model.embed_tokens.weight', V, D],
    ...layers,
    ['model.norm.weight', D],
    ...(config.tie_word_embeddings ? [] : linear('lm_head', V, D)),
  ]
}
