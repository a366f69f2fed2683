import { FileFormatError } from '@dpllm/core'

/** Largest tokenizer.bin that is read; one with 256 thousand pieces has 4 MB. */
export const MAX_TOKENIZER_BYTES = 2 ** 25
/** Longest piece; the longest in use have some 100 bytes, and time grows with the square. */
const MAX_PIECE_BYTES = 256

/** Ids 0 … 2 are unknown, begin and end of text; ids 3 … 258 the 256 bytes. Text pieces follow. */
const BYTE_TOKENS_BEGIN = 3
export const TEXT_BEGIN = 259

/** A SentencePiece vocabulary: text and score of every id. */
export interface Vocabulary {
  /** As `tokenizer.json` spells them: `<s>`, `<0x0A>`, and U+2581 for spaces in text. */
  readonly pieces: readonly string[]
  /** Merges to pieces of higher score come first. */
  readonly scores: readonly number[]
}

/**
 * Reads a llama2.c tokenizer.bin of version 0: int32 longest piece, then for each id f32 score, int32 length, bytes.
 * The spelling of ids 0 … 258 differs between exports and is not read.
 * @param size the model's vocabulary size
 * @throws FileFormatError naming the token
 */
export function parseVocabulary(buffer: ArrayBuffer, size: number, file: string): Vocabulary {
  if (size < TEXT_BEGIN) throw new FileFormatError(file, `expected a vocabulary of at least ${TEXT_BEGIN} tokens, found ${size}`)
  const view = new DataView(buffer)
  // A byte order mark is a piece like any other.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decode = (bytes: Uint8Array) => decoder.decode(bytes)
  const pieces: string[] = []
  const scores: number[] = []
  const seen = new Set<string>()
  let at = 4
  for (let id = 0; id < size; id++) {
    const item = `token ${id}`
    const fail = (message: string, cause?: unknown) => new FileFormatError(file, message, { item, cause })
    if (at + 8 > buffer.byteLength) throw fail(`is truncated: expected ${size} tokens, found ${id}`)
    const score = view.getFloat32(at, true)
    const length = view.getInt32(at + 4, true)
    at += 8
    if (!Number.isFinite(score)) throw fail(`expected a finite score, found ${score}`)
    if (length < 0 || length > MAX_PIECE_BYTES) throw fail(`expected a length up to ${MAX_PIECE_BYTES} bytes, found ${length}`)
    if (at + length > buffer.byteLength)
      throw fail(`is truncated: expected ${length} more bytes, found ${buffer.byteLength - at}`)
    const piece = specialPiece(id) ?? textPiece(decode, new Uint8Array(buffer, at, length), fail)
    at += length
    if (seen.has(piece)) throw fail(`${JSON.stringify(piece)} is there twice`)
    seen.add(piece)
    pieces.push(piece)
    scores.push(score)
  }
  if (at !== buffer.byteLength) {
    throw new FileFormatError(file, `has ${buffer.byteLength - at} bytes after the ${size} tokens of the checkpoint's vocabulary`)
  }
  return { pieces, scores }
}

function specialPiece(id: number): string | undefined {
  if (id >= TEXT_BEGIN) return undefined
  if (id < BYTE_TOKENS_BEGIN) return ['<unk>', '<s>', '</s>'][id]
  return `<0x${(id - BYTE_TOKENS_BEGIN).toString(16).toUpperCase().padStart(2, '0')}>`
}

function textPiece(
  decode: (bytes: Uint8Array) => string,
  bytes: Uint8Array,
  fail: (message: string, cause?: unknown) => FileFormatError,
): string {
  if (bytes.length === 0) throw fail('is empty')
  try {
    return decode(bytes).replaceAll(' ', '\u2581')
  } catch (cause) {
    throw fail('is not UTF-8 text', cause)
  }
}
