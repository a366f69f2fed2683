import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs'

/**
 * Types of tensors that files are written in, as in ggml.h and ggml-common.h: number, bytes of a block of 256 weights, where its
 * f16 scales are and what they are, and the file type that a model of this type has. The scales make weights of random bytes as large
 * as a trained model's, so that activations stay finite.
 */
export const ggmlTypes = {
  Q3_K: { id: 11, block: 110, scales: [[108, 3.6e-4]], fileType: 11 },
  Q4_K: {
    id: 12,
    block: 144,
    scales: [
      [0, 6.1e-5],
      [2, 4.6e-4],
    ],
    fileType: 14,
  },
  Q5_K: {
    id: 13,
    block: 176,
    scales: [
      [0, 3.1e-5],
      [2, 4.7e-4],
    ],
    fileType: 16,
  },
  Q6_K: { id: 14, block: 210, scales: [[208, 1.1e-5]], fileType: 18 },
  F16: { id: 1, block: 512, scales: [], fileType: 1 },
  F32: { id: 0, block: 1024, scales: [], fileType: 0 },
}
const BLOCK_WEIGHTS = 256
const ALIGNMENT = 32

/**
 * Writes a Llama model of random weights, unless it is there: every matrix in one type, as `llama-quantize --pure` does, its blocks
 * random bytes. llama.cpp's speed does not depend on what the weights are.
 * @param {string} file
 * @param {{ hidden_size: number, intermediate_size: number, num_hidden_layers: number, num_attention_heads: number,
 *   num_key_value_heads: number, vocab_size: number, max_position_embeddings: number, rms_norm_eps: number, rope_theta: number }} shape
 *   fields of a config.json
 * @param {keyof ggmlTypes} type
 * @param {keyof ggmlTypes} [headType] of the embedding and the head; default `type`
 */
export function writeRandomGguf(file, shape, type, headType = type) {
  if (existsSync(file)) return file
  const tensors = tensorsOf(shape, type, headType)
  const fd = openSync(`${file}.tmp`, 'w')
  try {
    writeSync(fd, header(metadataOf(shape, ggmlTypes[type].fileType), tensors))
    const patterns = new Map(Object.keys(ggmlTypes).map((name) => [name, pattern(name)]))
    for (const tensor of tensors) writeRepeated(fd, patterns.get(tensor.type), paddedBytes(tensor))
  } finally {
    closeSync(fd)
  }
  renameSync(`${file}.tmp`, file)
  return file
}

/** Names are llama.cpp's; `dims` has the innermost dimension first. */
function tensorsOf(shape, type, headType) {
  const { hidden_size: width, intermediate_size: inner, vocab_size: vocabulary } = shape
  const keyValueWidth = (width / shape.num_attention_heads) * shape.num_key_value_heads
  const block = (layer) =>
    Object.entries({
      attn_norm: [width],
      attn_q: [width, width],
      attn_k: [width, keyValueWidth],
      attn_v: [width, keyValueWidth],
      attn_output: [width, width],
      ffn_norm: [width],
      ffn_gate: [width, inner],
      ffn_up: [width, inner],
      ffn_down: [inner, width],
    }).map(([name, dims]) => ({ name: `blk.${layer}.${name}.weight`, dims, type: dims.length === 1 ? 'F32' : type }))
  return [
    { name: 'token_embd.weight', dims: [width, vocabulary], type: headType },
    ...Array.from({ length: shape.num_hidden_layers }, (_, layer) => block(layer)).flat(),
    { name: 'output_norm.weight', dims: [width], type: 'F32' },
    { name: 'output.weight', dims: [width, vocabulary], type: headType },
  ]
}

/** The keys that llama.cpp needs, and a vocabulary of bytes and made-up words. */
function metadataOf(shape, fileType) {
  const vocabulary = Array.from({ length: shape.vocab_size }, (_, i) => {
    if (i < 3) return ['<unk>', '<s>', '</s>'][i]
    return i < 259 ? `<0x${(i - 3).toString(16).toUpperCase().padStart(2, '0')}>` : `▁w${i}`
  })
  const [unknown, control, byte, normal] = [2, 3, 6, 1]
  return [
    ['general.architecture', string('llama')],
    ['general.name', string('random')],
    ['general.file_type', u32(fileType)],
    ['general.alignment', u32(ALIGNMENT)],
    ['llama.vocab_size', u32(shape.vocab_size)],
    ['llama.context_length', u32(shape.max_position_embeddings)],
    ['llama.embedding_length', u32(shape.hidden_size)],
    ['llama.block_count', u32(shape.num_hidden_layers)],
    ['llama.feed_forward_length', u32(shape.intermediate_size)],
    ['llama.attention.head_count', u32(shape.num_attention_heads)],
    ['llama.attention.head_count_kv', u32(shape.num_key_value_heads)],
    ['llama.rope.dimension_count', u32(shape.hidden_size / shape.num_attention_heads)],
    ['llama.rope.freq_base', f32(shape.rope_theta)],
    ['llama.attention.layer_norm_rms_epsilon', f32(shape.rms_norm_eps)],
    ['tokenizer.ggml.model', string('llama')],
    ['tokenizer.ggml.tokens', array(vocabulary.map(string))],
    ['tokenizer.ggml.scores', array(vocabulary.map((_, i) => f32(-i)))],
    [
      'tokenizer.ggml.token_type',
      array(vocabulary.map((_, i) => i32(i === 0 ? unknown : i < 3 ? control : i < 259 ? byte : normal))),
    ],
    ['tokenizer.ggml.bos_token_id', u32(1)],
    ['tokenizer.ggml.eos_token_id', u32(2)],
    ['tokenizer.ggml.unknown_token_id', u32(0)],
  ]
}

function header(metadata, tensors) {
  let offset = 0
  const infos = tensors.map((tensor) => {
    const { name, dims, type } = tensor
    const info = [
      bytesOf(string(name)),
      bytesOf(u32(dims.length)),
      ...dims.map(u64),
      bytesOf(u32(ggmlTypes[type].id)),
      u64(offset),
    ]
    offset += paddedBytes(tensor)
    return Buffer.concat(info)
  })
  const keys = metadata.flatMap(([key, value]) => [bytesOf(string(key)), bytesOf(u32(value.type)), value.bytes])
  const head = [Buffer.from('GGUF'), bytesOf(u32(3)), u64(tensors.length), u64(metadata.length), ...keys, ...infos]
  const whole = Buffer.concat(head)
  return Buffer.concat([whole, Buffer.alloc(roundUp(whole.length) - whole.length)])
}

/** Some 4 MiB of whole blocks to be written again and again. Norms are ones, others random bytes under the type's scales. */
function pattern(type) {
  const { block, scales } = ggmlTypes[type]
  const bytes = Buffer.alloc(block * Math.ceil(2 ** 22 / block))
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4))
  let state = 1
  for (let i = 0; i < words.length; i++) {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    // Halves of magnitudes 2^-6 to 2^-5.
    words[i] = type === 'F16' ? (state & 0x83ff83ff) | 0x24002400 : state
  }
  if (type === 'F32') new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).fill(1)
  for (let at = 0; at < bytes.length; at += block)
    for (const [place, scale] of scales) bytes.writeUInt16LE(smallHalf(scale), at + place)
  return bytes
}

function writeRepeated(fd, bytes, count) {
  for (let left = count; left > 0; left -= bytes.length) writeSync(fd, bytes, 0, Math.min(left, bytes.length))
}

/** f16 bits of a positive number below 1. */
function smallHalf(value) {
  const exponent = Math.max(Math.floor(Math.log2(value)), -15)
  if (exponent === -15) return Math.round(value * 2 ** 24)
  return ((exponent + 15) << 10) + Math.round((value / 2 ** exponent - 1) * 1024)
}

const paddedBytes = ({ dims, type }) => roundUp((dims.reduce((a, b) => a * b) / BLOCK_WEIGHTS) * ggmlTypes[type].block)
const roundUp = (bytes) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

// Values of metadata: GGUF's number of their type, and bytes.
const bytesOf = ({ bytes }) => bytes
const u32 = (value) => ({ type: 4, bytes: Buffer.from(Uint32Array.of(value).buffer) })
const i32 = (value) => ({ type: 5, bytes: Buffer.from(Int32Array.of(value).buffer) })
const f32 = (value) => ({ type: 6, bytes: Buffer.from(Float32Array.of(value).buffer) })
const string = (text) => ({ type: 8, bytes: Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]) })
const array = (values) => ({
  type: 9,
  bytes: Buffer.concat([Buffer.from(Uint32Array.of(values[0].type).buffer), u64(values.length), ...values.map(bytesOf)]),
})
function u64(value) {
  return Buffer.from(BigUint64Array.of(BigInt(value)).buffer)
}
