import path from 'node:path'
import { type Activation, FileFormatError, UnsupportedError } from '@dpllm/core'
import { readJson } from '@dpllm/core/node'
import type { Family, ModelConfig } from './model-config.js'
import { RopeError, ropeFrequencies } from './rope.js'
import { configSchema, type RawConfig } from './schema.js'

const families: ReadonlyMap<string, Family> = new Map([
  ['LlamaForCausalLM', 'llama'],
  ['MistralForCausalLM', 'mistral'],
  ['Qwen2ForCausalLM', 'qwen2'],
  ['Qwen3ForCausalLM', 'qwen3'],
  ['Phi3ForCausalLM', 'phi3'],
])

const activations: ReadonlyMap<string, Activation> = new Map([
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['gelu', 'gelu'],
  ['gelu_new', 'geluTanh'],
  ['gelu_pytorch_tanh', 'geluTanh'],
])

/** What transformers takes where config.json does not say: some publishers leave out what equals these. */
const defaults: Record<Family, { headDim?: number; window?: number }> = {
  llama: {},
  mistral: { window: 4096 },
  qwen2: { window: 4096 },
  qwen3: { headDim: 128, window: 4096 },
  phi3: {},
}

/** Widest head; published models have up to 256. Tables of its length are made before any tensor is looked at. */
const MAX_HEAD_DIM = 4096

export interface ReadConfigOptions {
  /** Positions to make room for; default what the model was made for (for LongRoPE, its original context). */
  readonly contextLength?: number | undefined
}

/**
 * Reads `config.json` of a Hugging Face folder, quantized or not.
 * @throws FileFormatError, UnsupportedError for an architecture that there is no program for
 */
export async function readModelConfig(directory: string, options: ReadConfigOptions = {}): Promise<ModelConfig> {
  const file = path.join(directory, 'config.json')
  return parseModelConfig(await readJson(file), file, options)
}

/** As `readModelConfig`, from the parsed JSON; `file` is for messages. */
export function parseModelConfig(json: unknown, file: string, options: ReadConfigOptions = {}): ModelConfig {
  const parsed = configSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new FileFormatError(file, issue.message, { item: issue.path.join('.') })
  }
  const raw = parsed.data
  const architecture = raw.architectures?.[0]
  const family = families.get(architecture ?? '')
  if (family === undefined) {
    throw new UnsupportedError(
      `${file}: architecture ${JSON.stringify(architecture ?? null)} has no program here; known are ${[...families.keys()].join(', ')}`,
    )
  }
  const activation = activations.get(raw.hidden_act ?? 'silu')
  if (activation === undefined)
    throw new UnsupportedError(
      `${file}: hidden_act ${JSON.stringify(raw.hidden_act)}; known are ${[...activations.keys()].join(', ')}`,
    )
  const heads = raw.num_attention_heads
  const kvHeads = raw.num_key_value_heads ?? heads
  const headDim = raw.head_dim ?? defaults[family].headDim ?? raw.hidden_size / heads
  if (!Number.isInteger(headDim))
    throw new FileFormatError(file, `hidden_size ${raw.hidden_size} is no multiple of num_attention_heads ${heads}`, {
      item: 'head_dim',
    })
  if (headDim > MAX_HEAD_DIM)
    throw new FileFormatError(file, `heads of ${headDim} values, at most ${MAX_HEAD_DIM} are read`, { item: 'head_dim' })
  if (heads % kvHeads !== 0)
    throw new FileFormatError(file, `num_attention_heads ${heads} is no multiple of it`, { item: 'num_key_value_heads' })
  const contextLength = chosenContext(raw, file, options.contextLength)
  return {
    family,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    vocabularySize: raw.vocab_size,
    contextLength,
    rmsNormEps: raw.rms_norm_eps ?? 1e-6,
    activation,
    tiedEmbeddings: raw.tie_word_embeddings ?? false,
    biases: {
      qkv: family === 'qwen2' ? true : (raw.attention_bias ?? false),
      o: family === 'qwen2' ? false : (raw.attention_bias ?? false),
      mlp: raw.mlp_bias ?? false,
    },
    qkNorm: family === 'qwen3',
    fused: family === 'phi3',
    rope: rope(raw, file, headDim, contextLength),
    windows: windows(raw, family),
    quantization: raw.dpllm,
  }
}

function chosenContext(raw: RawConfig, file: string, wanted: number | undefined): number {
  const most = raw.max_position_embeddings
  const scaling = raw.rope_scaling ?? raw.rope_parameters
  const long = ['longrope', 'su'].includes(scaling?.rope_type ?? scaling?.type ?? '')
  const usual = long
    ? Math.min(scaling?.original_max_position_embeddings ?? raw.original_max_position_embeddings ?? most, most)
    : most
  if (wanted === undefined) return usual
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > most) {
    throw new UnsupportedError(`${file}: a context of ${wanted} positions; the model was made for 1 to ${most}`)
  }
  return wanted
}

function rope(raw: RawConfig, file: string, headDim: number, contextLength: number) {
  try {
    return ropeFrequencies(raw, headDim, contextLength)
  } catch (error) {
    if (error instanceof RopeError) throw new FileFormatError(file, `expected ${error.message}`, { item: 'rope_scaling' })
    throw error
  }
}

function windows(raw: RawConfig, family: Family): (number | undefined)[] {
  // Null means no window, as opposed to a config that does not say.
  const window = raw.sliding_window === undefined ? defaults[family].window : (raw.sliding_window ?? undefined)
  return Array.from({ length: raw.num_hidden_layers }, (_, layer) => {
    if (window === undefined) return undefined
    if (raw.layer_types) return raw.layer_types[layer] === 'sliding_attention' ? window : undefined
    if (family === 'qwen2' || family === 'qwen3') {
      // 28 is what transformers takes when a config does not say.
      return raw.use_sliding_window && layer >= (raw.max_window_layers ?? 28) ? window : undefined
    }
    return family === 'mistral' || family === 'phi3' ? window : undefined
  })
}
