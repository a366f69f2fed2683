import { z } from 'zod'

/** A size that a config may give; bounded so that a hostile file cannot ask for absurd allocations. */
const size = z
  .number()
  .int()
  .positive()
  .max(2 ** 31)
const flag = z.boolean().nullish()

const ropeScaling = z
  .looseObject({
    rope_type: z.string().nullish(),
    type: z.string().nullish(),
    rope_theta: z.number().positive().nullish(),
    partial_rotary_factor: z.number().positive().max(1).nullish(),
    factor: z.number().positive().nullish(),
    low_freq_factor: z.number().positive().nullish(),
    high_freq_factor: z.number().positive().nullish(),
    original_max_position_embeddings: size.nullish(),
    attention_factor: z.number().positive().nullish(),
    beta_fast: z.number().positive().nullish(),
    beta_slow: z.number().positive().nullish(),
    mscale: z.number().nullish(),
    mscale_all_dim: z.number().nullish(),
    truncate: flag,
    short_factor: z.array(z.number().positive()).max(4096).nullish(),
    long_factor: z.array(z.number().positive()).max(4096).nullish(),
  })
  .nullish()

/** What `config.json` of a quantized model holds under "dpllm". */
const quantizationSchema = z.looseObject({
  format: z.literal(1),
  seedBits: z.number().int().min(1).max(8),
  maxBits: z.number().int().min(1).max(8),
  quantizedModules: z.record(z.string(), z.looseObject({ bits: z.array(z.number().int().min(1).max(8)).min(1) })),
})

/** The fields of a Hugging Face `config.json` that decoder-only models of the supported families use. */
export const configSchema = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size.max(1024),
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  vocab_size: size,
  max_position_embeddings: size,
  original_max_position_embeddings: size.nullish(),
  rms_norm_eps: z.number().positive().max(1).nullish(),
  hidden_act: z.string().nullish(),
  tie_word_embeddings: flag,
  attention_bias: flag,
  mlp_bias: flag,
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeScaling,
  rope_parameters: ropeScaling,
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  sliding_window: size.nullish(),
  use_sliding_window: flag,
  max_window_layers: z.number().int().nonnegative().nullish(),
  layer_types: z.array(z.string()).nullish(),
  dpllm: quantizationSchema.optional(),
})

export type RawConfig = z.infer<typeof configSchema>
export type Quantization = z.infer<typeof quantizationSchema>
