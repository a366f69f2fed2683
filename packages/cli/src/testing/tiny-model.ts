import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createRandom } from '@dpllm/core'
import { importLlama2c } from '@dpllm/runtime'

const tiny = { dim: 32, hidden: 48, layers: 2, heads: 2, kvHeads: 1, context: 64 }
type Shape = typeof tiny
const letters = [' ', ...'abcdefghijklmnopqrstuvwxyz', '.', ',', '!', ' a', 'th', 'he', ' th', ' the']

const CHAT_TEMPLATE =
  "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"

/** Writes a random llama2.c checkpoint, of 30 thousand weights if nothing else is said, and a tokenizer that knows letters. */
export async function writeTinyCheckpoint(folder: string, shape: Partial<Shape> = {}) {
  const checkpoint = path.join(folder, 'tiny.bin')
  const tokenizer = path.join(folder, 'tiny.tok')
  await writeFile(checkpoint, checkpointBytes({ ...tiny, ...shape }))
  await writeFile(tokenizer, tokenizerBytes())
  return { checkpoint, tokenizer }
}

/** Makes the folder of such a model with a chat template, by the importer. */
export async function writeTinyModel(folder: string): Promise<string> {
  const out = path.join(folder, 'tiny')
  await importLlama2c({ ...(await writeTinyCheckpoint(folder)), out })
  const config = path.join(out, 'tokenizer_config.json')
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')), chat_template: CHAT_TEMPLATE }))
  return out
}

function checkpointBytes({ dim, hidden, layers, heads, kvHeads, context }: Shape): Uint8Array {
  const vocabulary = 259 + letters.length
  const headDim = dim / heads
  const random = createRandom(7)
  const values: number[] = []
  const normal = (count: number, scale: number) => {
    for (let i = 0; i < count; i++) values.push(scale * random.normal())
  }
  const ones = (count: number) => {
    for (let i = 0; i < count; i++) values.push(1)
  }
  normal(vocabulary * dim, 0.5)
  ones(layers * dim)
  normal(layers * (2 * dim * dim + 2 * kvHeads * headDim * dim), 0.2)
  ones(layers * dim)
  normal(layers * 3 * dim * hidden, 0.2)
  ones(dim)
  normal(context * headDim, 0)
  const header = Int32Array.of(dim, hidden, layers, heads, kvHeads, vocabulary, context)
  return Buffer.concat([new Uint8Array(header.buffer), new Uint8Array(Float32Array.from(values).buffer)])
}

function tokenizerBytes(): Uint8Array {
  const parts: Uint8Array[] = [new Uint8Array(Int32Array.of(4).buffer)]
  const push = (score: number, bytes: Uint8Array) => {
    parts.push(new Uint8Array(Float32Array.of(score).buffer), new Uint8Array(Int32Array.of(bytes.length).buffer), bytes)
  }
  for (let id = 0; id < 259; id++) push(0, Uint8Array.of(Math.max(id - 3, 0)))
  for (const [i, piece] of letters.entries()) push(-i, Buffer.from(piece))
  return Buffer.concat(parts)
}
