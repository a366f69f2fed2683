// A model of random weights, so that the example needs no download. It runs like a real one, and writes nonsense.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calibrateModel, quantizeModel } from '@dpllm/calibration'
import { createRandom } from '@dpllm/core'
import { writeCheckpoint } from '@dpllm/core/node'
import { decoderProgram, parseModelConfig } from '@dpllm/runtime'

/** Every printable ASCII character is a token; byte-level tokenizers spell the space Ġ. */
const characters = ['Ġ', ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))]
const END = '<|end|>'

const config = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: characters.length + 1,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
}

/**
 * Makes a quantized and calibrated model under `folder`.
 * @returns its folder
 */
export async function makeTinyModel(folder) {
  const original = join(folder, 'original')
  const quantized = join(folder, 'quantized')
  await writeOriginal(original)
  await quantizeModel(original, quantized)
  await calibrateModel({
    model: quantized,
    calibrationText: 'The cat sat by the door and looked at the rain. '.repeat(12),
    memoryBudget: 5,
    targets: [3.5, 4.5],
    samples: 4,
    sequenceLength: 128,
  })
  return quantized
}

/** A folder as Hugging Face publishes them. */
async function writeOriginal(folder) {
  const random = createRandom(1)
  const { weights, frequencies } = decoderProgram(parseModelConfig(config, 'config.json'))
  const tensors = weights.filter(({ name }) => name !== frequencies)
  await mkdir(folder, { recursive: true })
  await writeCheckpoint(
    folder,
    tensors.map(({ name, shape }) => {
      const length = shape.reduce((product, size) => product * size, 1)
      return { name, shape, dtype: 'f32', data: Float32Array.from({ length }, () => 0.2 * random.normal()) }
    }),
  )
  await writeFile(join(folder, 'config.json'), JSON.stringify(config, null, 2))
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer(), null, 2))
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: END }))
}

function tokenizer() {
  const end = {
    id: characters.length,
    content: END,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }
  return {
    version: '1.0',
    added_tokens: [end],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(characters.map((character, id) => [character, id])), merges: [] },
  }
}
