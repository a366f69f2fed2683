import { FileFormatError } from '@dpllm/core'

/** Bytes of the header: seven int32. */
export const HEADER_BYTES = 28

/** First four bytes of the later checkpoint versions ("ak42"). */
const MAGIC_OF_LATER_VERSIONS = 0x616b3432

/** Most that a field may say; ten times what any such model has had, so that sizes stay exact in f64. */
const MAX_FIELD = 2 ** 24
const MAX_LAYERS = 1024

/** The header of a llama2.c checkpoint, version 0 (llama2.c run.c, `Config`). */
export interface Llama2cHeader {
  readonly dim: number
  readonly hiddenDim: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly vocabularySize: number
  readonly contextLength: number
  /** The head is the embedding's matrix; stands in the file as a positive vocabulary size. */
  readonly tied: boolean
}

/** Where a Hugging Face tensor lies in the checkpoint. */
export interface Llama2cTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** Position of its first f32 in the file, in bytes. */
  readonly position: number
  /** Heads whose rows stand as rotary pairs side by side (q and k), 0 for other tensors. */
  readonly rotaryHeads: number
}

/**
 * Reads the header.
 * @param bytes the first `HEADER_BYTES` bytes of the file
 * @throws FileFormatError naming the field that cannot be
 */
export function parseLlama2cHeader(bytes: ArrayBuffer, file: string): Llama2cHeader {
  if (bytes.byteLength < HEADER_BYTES) throw new FileFormatError(file, `is truncated: a header has ${HEADER_BYTES} bytes`)
  const view = new DataView(bytes)
  if (view.getUint32(0, true) === MAGIC_OF_LATER_VERSIONS) {
    throw new FileFormatError(file, 'expected a llama2.c checkpoint of version 0, found a later one (export with --version 0)')
  }
  const names = ['dim', 'hidden_dim', 'n_layers', 'n_heads', 'n_kv_heads', 'vocab_size', 'seq_len']
  const fields = names.map((item, i) => {
    const value = view.getInt32(4 * i, true)
    const size = item === 'vocab_size' ? Math.abs(value) : value
    const most = item === 'n_layers' ? MAX_LAYERS : MAX_FIELD
    if (size < 1 || size > most) throw new FileFormatError(file, `expected 1 to ${most}, found ${value}`, { item })
    return value
  })
  const [dim, hiddenDim, layers, heads, kvHeads, vocabulary, contextLength] = fields
  if (dim % heads !== 0 || (dim / heads) % 2 !== 0) {
    throw new FileFormatError(file, `expected a divisor of dim ${dim} that leaves even heads, found ${heads}`, {
      item: 'n_heads',
    })
  }
  if (heads % kvHeads !== 0) {
    throw new FileFormatError(file, `expected a divisor of n_heads ${heads}, found ${kvHeads}`, { item: 'n_kv_heads' })
  }
  return { dim, hiddenDim, layers, heads, kvHeads, vocabularySize: Math.abs(vocabulary), contextLength, tied: vocabulary > 0 }
}

/**
 * All tensors by their Hugging Face names, sorted by name, and the bytes that the file must have.
 * The order in the file is llama2.c's (run.c, `memory_map_weights`).
 */
export function llama2cLayout(header: Llama2cHeader): { tensors: Llama2cTensor[]; fileBytes: number } {
  const { dim, hiddenDim, layers, heads, kvHeads, vocabularySize, contextLength, tied } = header
  const headDim = dim / heads
  const tensors: Llama2cTensor[] = []
  let position = HEADER_BYTES
  const take = (name: string, shape: readonly number[], rotaryHeads = 0) => {
    tensors.push({ name, shape, position, rotaryHeads })
    position += 4 * shape.reduce((a, b) => a * b, 1)
  }
  const takeLayers = (name: string, shape: readonly number[], rotaryHeads = 0) => {
    for (let layer = 0; layer < layers; layer++) take(`model.layers.${layer}.${name}.weight`, shape, rotaryHeads)
  }
  take('model.embed_tokens.weight', [vocabularySize, dim])
  takeLayers('input_layernorm', [dim])
  takeLayers('self_attn.q_proj', [dim, dim], heads)
  takeLayers('self_attn.k_proj', [kvHeads * headDim, dim], kvHeads)
  takeLayers('self_attn.v_proj', [kvHeads * headDim, dim])
  takeLayers('self_attn.o_proj', [dim, dim])
  takeLayers('post_attention_layernorm', [dim])
  takeLayers('mlp.gate_proj', [hiddenDim, dim])
  takeLayers('mlp.down_proj', [dim, hiddenDim])
  takeLayers('mlp.up_proj', [hiddenDim, dim])
  take('model.norm.weight', [dim])
  // Tables of cosines and sines, which nothing reads any more.
  position += 4 * contextLength * headDim
  if (!tied) take('lm_head.weight', [vocabularySize, dim])
  tensors.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { tensors, fileBytes: position }
}
