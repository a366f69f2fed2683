import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Backend, createReferenceBackend, FileFormatError } from '@dpllm/core'
import { CHECKPOINT_FILE, writeCheckpoint } from '@dpllm/core/node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sentencePieceTokenizer } from '../../test/tokenizers.js'
import { randomModel } from '../models/testing/random-model.js'
import { loadModel } from './load-model.js'

const config = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 300,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-load-'))
  await writeCheckpoint(
    folder,
    [...randomModel(config, 1)].map(([name, tensor]) => ({ name, ...tensor })),
  )
  await writeJson('config.json', config)
  await writeJson('tokenizer.json', sentencePieceTokenizer())
})
afterEach(() => rm(folder, { recursive: true }))

async function writeJson(name: string, json: unknown): Promise<void> {
  await writeFile(path.join(folder, name), JSON.stringify(json))
}

/** Adds a tensor of 16 bytes to the checkpoint, in the format's own spelling. */
async function addTensor(name: string, dtype: string, shape: number[]): Promise<void> {
  const file = path.join(folder, CHECKPOINT_FILE)
  const bytes = await readFile(file)
  const begin = 8 + Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.toString('utf8', 8, begin))
  const end = bytes.length - begin
  const json = Buffer.from(JSON.stringify({ ...header, [name]: { dtype, shape, data_offsets: [end, end + 16] } }))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  await writeFile(file, Buffer.concat([length, json, bytes.subarray(begin), Buffer.alloc(16)]))
}

/** The reference, counting how often it is disposed of. */
function watchedBackend(): Backend & { disposed: number } {
  const backend = { ...createReferenceBackend(), disposed: 0 }
  return Object.assign(backend, {
    [Symbol.asyncDispose]: async () => {
      backend.disposed++
    },
  })
}

test('a model disposes of its backend, once', async () => {
  const backend = watchedBackend()
  {
    await using model = await loadModel(folder, { backend })
    expect(model.parameters).toBe([...randomModel(config, 1).values()].reduce((sum, { data }) => sum + data.length, 0))
  }
  expect(backend.disposed).toBe(1)
})

test('a load that fails disposes of the backend, wherever it fails', async () => {
  const breaks: [() => Promise<void>, RegExp][] = [
    [() => rm(path.join(folder, CHECKPOINT_FILE)), /expected model\.safetensors/],
    [() => writeJson('tokenizer.json', {}), /tokenizer\.json/],
    [() => writeJson('config.json', {}), /config\.json/],
  ]
  for (const [breakIt, message] of breaks) {
    await breakIt()
    const backend = watchedBackend()
    await expect(loadModel(folder, { backend })).rejects.toThrow(message)
    expect(backend.disposed).toBe(1)
  }
})

test('tokens that the model has no embedding for are refused', async () => {
  const tokenizer = sentencePieceTokenizer()
  const tokens = Object.keys(tokenizer.model.vocab as object).length
  await writeJson('config.json', { ...config, vocab_size: tokens - 1 })
  const error = await loadModel(folder, { backend: 'reference' }).catch((e) => e)
  expect(error).toBeInstanceOf(FileFormatError)
  expect(error.message).toMatch(
    new RegExp(`tokenizer\\.json: has a token with the id ${tokens - 1}, .* vocab_size .* is ${tokens - 1}`),
  )

  await writeJson('config.json', { ...config, bos_token_id: 300 })
  await expect(loadModel(folder, { backend: 'reference' })).rejects.toThrow(/id 300, .* is 300/)
})

test('buffers of dtypes that are not read are no obstacle', async () => {
  await addTensor('model.embeddings.position_ids', 'I64', [2])
  await using model = await loadModel(folder, { backend: 'reference' })
  expect([...model.weights.keys()]).not.toContain('model.embeddings.position_ids')
})

test('a weight of a dtype that is not read is named', async () => {
  await writeJson('config.json', { ...config, attention_bias: true })
  await addTensor('model.layers.0.self_attn.q_proj.bias', 'F8_E4M3', [16])
  await expect(loadModel(folder, { backend: 'reference' })).rejects.toThrow(
    /q_proj\.bias: the model needs this tensor, and dtype F8_E4M3 is not read; convert it/,
  )
})

test('an abort ends a load', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(loadModel(folder, { backend: 'reference', signal })).rejects.toThrow('enough')
})
