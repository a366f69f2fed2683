import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom, type FloatTensor, f32ToBf16, toFloat16 } from '@dpllm/core'
import { type TensorEntry, writeCheckpoint } from '@dpllm/core/node'
import { decoderProgram, parseModelConfig } from '@dpllm/runtime'

export interface TinyModelOptions {
  /** Fields of config.json that differ from a Llama of two blocks of width 24. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly dtype?: FloatTensor['dtype']
  /** Splits the weights into files of so many bytes. */
  readonly maxShardBytes?: number
  readonly seed?: number
  /** Changes a tensor before it is written, or drops it. */
  readonly edit?: (entry: TinyTensor) => TinyTensor | undefined
}

/** A tensor of a tiny model, before it gets its dtype. */
export interface TinyTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** config.json of a Llama of two blocks of width 24. */
export const tinyConfig = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 50,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
}

/** One token for each letter; everything else is unknown. */
const tokenizer = {
  version: '1.0',
  added_tokens: [],
  decoder: { type: 'Fuse' },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    vocab: Object.fromEntries(['<unk>', '<s>', ' ', '.', ...'abcdefghijklmnopqrstuvwxyz'].map((token, id) => [token, id])),
    merges: [],
  },
}

/** Writes a Hugging Face style folder with random weights and tokenizer files. */
export async function writeTinyModel(directory: string, options: TinyModelOptions = {}): Promise<void> {
  const { dtype = 'f32', maxShardBytes, seed = 1, edit = (t) => t } = options
  const config = { ...tinyConfig, ...options.config }
  const random = createRandom(seed)
  const { weights, frequencies } = decoderProgram(parseModelConfig(config, 'config.json'))
  const entries: TensorEntry[] = []
  for (const { name, shape } of weights) {
    if (name === frequencies) continue
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.1 * random.normal())
    const tensor = edit({ name, shape, data })
    if (tensor) entries.push({ name: tensor.name, shape: tensor.shape, dtype, data: narrow(tensor.data, dtype) })
  }
  await mkdir(directory, { recursive: true })
  await writeCheckpoint(directory, entries, maxShardBytes === undefined ? {} : { maxShardBytes })
  // As Hugging Face's Python code writes numbers, which JSON.stringify does not.
  const text = JSON.stringify(config, null, 2).replace('"rope_theta": 10000', '"rope_theta": 10000.0').replace('0.00001', '1e-05')
  await writeFile(join(directory, 'config.json'), text)
  await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer))
  await writeFile(join(directory, 'tokenizer_config.json'), '{"bos_token": "<s>"}\n')
  await writeFile(join(directory, 'chat_template.jinja'), '{{ messages[0].content }}')
  await writeFile(join(directory, 'notes.txt'), 'not part of the model')
}

function narrow(data: Float32Array, dtype: FloatTensor['dtype']): FloatTensor['data'] {
  if (dtype === 'f32') return data
  return dtype === 'f16' ? toFloat16(data) : Uint16Array.from(data, f32ToBf16)
}
