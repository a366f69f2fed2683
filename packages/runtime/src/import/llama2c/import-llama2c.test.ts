import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DpllmError, FileFormatError } from '@dpllm/core'
import { openCheckpoint } from '@dpllm/core/node'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { importLlama2c } from './import-llama2c.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'llama2c-'))
})
afterAll(() => rm(folder, { recursive: true }))

const shape = { dim: 8, hidden: 6, layers: 2, heads: 2, kvHeads: 1, vocabulary: 263, context: 5 }

/** A checkpoint whose values count up from 0, so that every one tells where it stood. */
function checkpointBytes({ tied = true } = {}): Buffer {
  const { dim, hidden, layers, heads, kvHeads, vocabulary, context } = shape
  const headDim = dim / heads
  const attention = 2 * dim * dim + 2 * kvHeads * headDim * dim
  const count = vocabulary * dim * (tied ? 1 : 2) + layers * (2 * dim + attention + 3 * dim * hidden) + dim + context * headDim
  const header = Int32Array.of(dim, hidden, layers, heads, kvHeads, tied ? vocabulary : -vocabulary, context)
  return Buffer.concat([new Uint8Array(header.buffer), new Uint8Array(Float32Array.from({ length: count }, (_, i) => i).buffer)])
}

/** 259 special tokens, then ' ', 'a', ' a' and 'aa' with rising ids and chosen scores. */
function tokenizerBytes(
  pieces: readonly (string | Uint8Array)[] = [' ', 'a', ' a', 'aa'],
  scores: readonly number[] = [-9, -9, -2, -1],
): Buffer {
  const parts: Uint8Array[] = [new Uint8Array(Int32Array.of(9).buffer)]
  const push = (score: number, bytes: Uint8Array) =>
    parts.push(new Uint8Array(Float32Array.of(score).buffer), new Uint8Array(Int32Array.of(bytes.length).buffer), bytes)
  // Byte tokens stand as raw bytes in some exports, which are no UTF-8 text from 0x80 on.
  for (let id = 0; id < 259; id++) push(0, Uint8Array.of(Math.max(id - 3, 0)))
  pieces.forEach((piece, i) => {
    push(scores[i], Buffer.from(piece))
  })
  return Buffer.concat(parts)
}

let counter = 0
async function importBytes(checkpoint: Uint8Array, tokenizer: Uint8Array, overwrite = false): Promise<string> {
  const base = path.join(folder, `case-${counter++}`)
  await writeFile(`${base}.bin`, checkpoint)
  await writeFile(`${base}.tok`, tokenizer)
  const out = path.join(folder, 'models', path.basename(base))
  await importLlama2c({ checkpoint: `${base}.bin`, tokenizer: `${base}.tok`, out, overwrite })
  return out
}

const json = async (...parts: string[]) => JSON.parse(await readFile(path.join(...parts), 'utf8'))

test('tensors are found in their order, rotary pairs become split halves', async () => {
  const out = await importBytes(checkpointBytes({ tied: false }), tokenizerBytes())
  await using checkpoint = await openCheckpoint(out)
  const first = async (name: string) => Array.from((await checkpoint.read(name)).data.subarray(0, 3))
  const { dim, vocabulary, hidden, layers, context } = shape
  const table = vocabulary * dim
  expect(await first('model.embed_tokens.weight')).toEqual([0, 1, 2])
  expect(await first('model.layers.1.input_layernorm.weight')).toEqual([table + dim, table + dim + 1, table + dim + 2])

  // q: rows of a head of 4 stand as (0, 2), (1, 3): row 1 of the result is row 2 of the file.
  const q0 = table + layers * dim
  const q = (await checkpoint.read('model.layers.0.self_attn.q_proj.weight')).data
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((row) => (q[row * dim] - q0) / dim)).toEqual([0, 2, 1, 3, 4, 6, 5, 7])
  const k0 = q0 + layers * dim * dim
  const k = (await checkpoint.read('model.layers.0.self_attn.k_proj.weight')).data
  expect([0, 1, 2, 3].map((row) => (k[row * dim] - k0) / dim)).toEqual([0, 2, 1, 3])

  const gate = k0 + layers * (4 * dim + 4 * dim + dim * dim + dim)
  expect(await first('model.layers.0.mlp.gate_proj.weight')).toEqual([gate, gate + 1, gate + 2])
  expect(await first('model.layers.0.mlp.down_proj.weight')).toEqual([0, 1, 2].map((i) => gate + layers * hidden * dim + i))
  const head = gate + layers * 3 * hidden * dim + dim + context * 4
  expect(await first('lm_head.weight')).toEqual([head, head + 1, head + 2])
  expect(checkpoint.tensors.size).toBe(3 + 9 * layers)

  expect(await json(out, 'config.json')).toMatchObject({
    architectures: ['LlamaForCausalLM'],
    hidden_size: 8,
    intermediate_size: 6,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    head_dim: 4,
    vocab_size: 263,
    max_position_embeddings: 5,
    tie_word_embeddings: false,
  })
})

test('a tied head is not written', async () => {
  const out = await importBytes(checkpointBytes(), tokenizerBytes())
  await using checkpoint = await openCheckpoint(out)
  expect(checkpoint.tensors.has('lm_head.weight')).toBe(false)
  expect((await json(out, 'config.json')).tie_word_embeddings).toBe(true)
})

test('merges follow scores, then ids', async () => {
  const out = await importBytes(checkpointBytes(), tokenizerBytes(), true)
  const { model, added_tokens } = await json(out, 'tokenizer.json')
  expect(model.merges).toEqual([
    ['a', 'a'],
    ['▁', 'a'],
  ])
  expect(model.vocab).toMatchObject({ '<unk>': 0, '<s>': 1, '</s>': 2, '<0x00>': 3, '<0xFF>': 258, '▁': 259, '▁a': 261 })
  expect(added_tokens.map((token: { content: string }) => token.content)).toEqual(['<unk>', '<s>', '</s>'])
})

test('an existing folder is kept unless it is a model to be overwritten', async () => {
  const out = await importBytes(checkpointBytes(), tokenizerBytes())
  const [checkpoint, tokenizer] = ['bin', 'tok'].map((kind) => path.join(folder, `${path.basename(out)}.${kind}`))
  await writeFile(path.join(out, 'config.json'), 'old')
  await expect(importLlama2c({ checkpoint, tokenizer, out })).rejects.toThrow(/not there yet/)
  expect(await readFile(path.join(out, 'config.json'), 'utf8')).toBe('old')
  await importLlama2c({ checkpoint, tokenizer, out, overwrite: true })
  expect((await json(out, 'config.json')).hidden_size).toBe(8)

  await rm(path.join(out, 'config.json'))
  await expect(importLlama2c({ checkpoint, tokenizer, out, overwrite: true })).rejects.toThrow(/folder of a model/)
  expect(await readdir(path.dirname(out))).not.toContainEqual(expect.stringMatching(/^\./))
})

test.each([
  ['shorter', (b: Buffer) => b.subarray(0, -4), /expected \d+ bytes/],
  ['longer', (b: Buffer) => Buffer.concat([b, Buffer.alloc(4)]), /expected \d+ bytes/],
  ['empty', () => Buffer.alloc(0), /truncated/],
  [
    'huge',
    (b: Buffer) =>
      Buffer.concat([Int32Array.of(2 ** 24), b.subarray(4)].map((p) => Buffer.from(p.buffer, p.byteOffset, p.byteLength))),
    /expected \d+ bytes/,
  ],
  ['of a later version', (b: Buffer) => Buffer.concat([Buffer.from('24ka'), b]), /version 0/],
  ['without layers', (b: Buffer) => b.fill(0, 8, 12), /n_layers: expected 1/],
  ['with odd heads', (b: Buffer) => b.fill(8, 12, 13), /n_heads/],
  [
    'not finite',
    (b: Buffer) => b.fill(255, 28 + 263 * 8 * 4 + 4, 28 + 263 * 8 * 4 + 8),
    /model\.layers\.0\.input_layernorm\.weight: element 1/,
  ],
])('a checkpoint that is %s is refused and leaves nothing', async (_, change, message) => {
  const before = await readdir(path.join(folder, 'models'))
  await expect(importBytes(change(checkpointBytes()), tokenizerBytes())).rejects.toThrow(message)
  expect(await readdir(path.join(folder, 'models'))).toEqual(before)
})

test.each([
  ['short', tokenizerBytes().subarray(0, -1), /token 262: is truncated/],
  ['long', Buffer.concat([tokenizerBytes(), Buffer.of(0)]), /1 bytes after/],
  ['no text', tokenizerBytes([' ', Uint8Array.of(0xff), 'b', 'c']), /token 260: is not UTF-8/],
  ['repeating', tokenizerBytes([' ', 'a', 'a', 'c']), /token 261: "a" is there twice/],
  ['with an empty piece', tokenizerBytes([' ', '', 'a', 'c']), /token 260: is empty/],
  ['not finite', tokenizerBytes([' ', 'a', 'b', 'c'], [0, 0, Number.NaN, 0]), /token 261: expected a finite score/],
])('a tokenizer that is %s is refused', async (_, tokenizer, message) => {
  await expect(importBytes(checkpointBytes(), tokenizer)).rejects.toThrow(message)
})

test('whatever bytes change, the outcome is a model or a typed error', async () => {
  const [checkpoint, tokenizer] = [checkpointBytes(), tokenizerBytes()]
  const change = fc.record({ at: fc.nat(), value: fc.nat(255), cut: fc.boolean(), inTokenizer: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(change, async ({ at, value, cut, inTokenizer }) => {
      const changed = Buffer.from(inTokenizer ? tokenizer : checkpoint)
      const position = inTokenizer || at % 2 ? at % changed.length : at % 28
      changed[position] = value
      const bytes = cut ? changed.subarray(0, position) : changed
      try {
        await importBytes(inTokenizer ? checkpoint : bytes, inTokenizer ? bytes : tokenizer)
      } catch (error) {
        expect(DpllmError.isInstance(error), String(error)).toBe(true)
      }
    }),
    { numRuns: 150 },
  )
})

test('a missing file is a typed error', async () => {
  const out = path.join(folder, 'never')
  const missing = path.join(folder, 'missing.bin')
  await expect(importLlama2c({ checkpoint: missing, tokenizer: missing, out })).rejects.toThrow(FileFormatError)
})

const data = process.env.DPLLM_DATA
test.skipIf(!data)('stories260K gives the tensors, vocabulary and merges of its Hugging Face folder', async () => {
  const source = path.join(data!, 'stories260K')
  const out = path.join(folder, 'stories260K')
  await importLlama2c({ checkpoint: path.join(source, 'stories260K.bin'), tokenizer: path.join(source, 'tok512.bin'), out })
  await using found = await openCheckpoint(out)
  await using wanted = await openCheckpoint(source)
  expect([...found.tensors.keys()]).toEqual([...wanted.tensors.keys()])
  for (const name of wanted.tensors.keys()) expect(await found.read(name), name).toEqual(await wanted.read(name))
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    expect(await json(out, file), file).toEqual(await json(source, file))
  }
})

test.skipIf(!data)('a cut stories260K is refused', async () => {
  const source = path.join(data!, 'stories260K')
  const checkpoint = path.join(folder, 'cut.bin')
  await writeFile(checkpoint, await readFile(path.join(source, 'stories260K.bin')))
  await truncate(checkpoint, 1_000_000)
  const out = path.join(folder, 'cut')
  await expect(importLlama2c({ checkpoint, tokenizer: path.join(source, 'tok512.bin'), out })).rejects.toThrow('found 1000000')
})
