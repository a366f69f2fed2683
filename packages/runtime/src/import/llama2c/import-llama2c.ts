import path from 'node:path'
import { FileFormatError, firstNonFinite, type OnProgress } from '@dpllm/core'
import { openRegularFile, type RegularFile, readBytes, writeCheckpoint, writeFileAtomic } from '@dpllm/core/node'
import type { ImportedModel } from '../imported-model.js'
import { writeWholeFolder } from '../whole-folder.js'
import { HEADER_BYTES, type Llama2cHeader, type Llama2cTensor, llama2cLayout, parseLlama2cHeader } from './checkpoint-layout.js'
import { splitHalves } from './split-halves.js'
import { tokenizerConfig, tokenizerJson } from './tokenizer-json.js'
import { MAX_TOKENIZER_BYTES, parseVocabulary } from './vocabulary.js'

export interface ImportLlama2cOptions {
  /** The checkpoint, version 0: stories15M.bin */
  readonly checkpoint: string
  /** Its tokenizer, version 0: tokenizer.bin */
  readonly tokenizer: string
  /** The folder to make. */
  readonly out: string
  /** Replace `out` if it is a model's folder. Default false. */
  readonly overwrite?: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * Turns a llama2.c checkpoint of version 0 and its tokenizer into a Hugging Face folder of F32 weights. The folder
 * appears whole or not at all; tensors are in memory one at a time.
 * @throws FileFormatError naming the file and the field or tensor, InvalidArgumentError if `out` is there already
 */
export async function importLlama2c(options: ImportLlama2cOptions): Promise<ImportedModel> {
  const { checkpoint, tokenizer, out, overwrite = false, signal, onProgress } = options
  await using file = await openRegularFile(checkpoint)
  const header = parseLlama2cHeader(
    await readBytes(file.handle, 0, Math.min(HEADER_BYTES, file.size), { file: checkpoint }),
    checkpoint,
  )
  const { tensors, fileBytes } = llama2cLayout(header)
  if (file.size !== fileBytes) {
    throw new FileFormatError(checkpoint, `expected ${fileBytes} bytes, as its header says, found ${file.size}`)
  }
  const vocabulary = await readVocabulary(tokenizer, header.vocabularySize)

  await writeWholeFolder(out, { overwrite }, async (folder) => {
    const entries = tensors.map((tensor) => ({
      name: tensor.name,
      dtype: 'f32' as const,
      shape: tensor.shape,
      data: () => readTensor(file, checkpoint, tensor, signal),
    }))
    const report: OnProgress = (p) => onProgress?.({ ...p, stage: 'import' })
    await writeCheckpoint(folder, entries, { metadata: { format: 'pt' }, signal, onProgress: report })
    await writeFileAtomic(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson(vocabulary)))
    await writeFileAtomic(path.join(folder, 'tokenizer_config.json'), `${JSON.stringify(tokenizerConfig, null, 2)}\n`)
    await writeFileAtomic(path.join(folder, 'config.json'), `${JSON.stringify(configJson(header), null, 2)}\n`)
  })
  return {
    directory: out,
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    layers: header.layers,
    vocabularySize: header.vocabularySize,
  }
}

async function readVocabulary(tokenizer: string, size: number) {
  await using file = await openRegularFile(tokenizer)
  if (file.size > MAX_TOKENIZER_BYTES) {
    throw new FileFormatError(tokenizer, `has ${file.size} bytes, at most ${MAX_TOKENIZER_BYTES} are read`)
  }
  return parseVocabulary(await readBytes(file.handle, 0, file.size, { file: tokenizer }), size, tokenizer)
}

async function readTensor(
  file: RegularFile,
  checkpoint: string,
  tensor: Llama2cTensor,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const { name, shape, position, rotaryHeads } = tensor
  const bytes = 4 * shape.reduce((a, b) => a * b, 1)
  const data = new Float32Array(await readBytes(file.handle, position, bytes, { file: checkpoint, item: name, signal }))
  const bad = firstNonFinite({ dtype: 'f32', shape, data })
  if (bad >= 0) throw new FileFormatError(checkpoint, `element ${bad} is not a finite number`, { item: name })
  return rotaryHeads === 0 ? data : splitHalves(data, rotaryHeads, shape[0], shape[1])
}

/** `config.json`; what the header does not say is fixed in llama2.c (run.c: eps 1e-5, theta 10000). */
function configJson(header: Llama2cHeader) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: header.dim,
    intermediate_size: header.hiddenDim,
    num_hidden_layers: header.layers,
    num_attention_heads: header.heads,
    num_key_value_heads: header.kvHeads,
    head_dim: header.dim / header.heads,
    vocab_size: header.vocabularySize,
    max_position_embeddings: header.contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: 'silu',
    tie_word_embeddings: header.tied,
    attention_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: 'float32',
  }
}
