import { FileFormatError, isJsonObject, UnsupportedError } from '@dpllm/core'

/** How the tokens of a vocabulary become text: bytes for each token, joined, read as UTF-8. */
export interface TokenBytes {
  /** The bytes that a token of the vocabulary stands for. */
  bytes(token: string): Uint8Array
  /** Up to this many spaces at the beginning of a text are not part of it. */
  readonly leadingSpaces: number
}

type Stage = (piece: string | Uint8Array) => string | Uint8Array

const encoder = new TextEncoder()

/**
 * Reads the `decoder` of a tokenizer.json: the byte-level one (GPT-2, Llama 3, Qwen), or the steps of SentencePiece
 * (Llama 2, Mistral, Phi-3). All of these map tokens to bytes one by one, which is what makes exact streaming possible.
 * @throws UnsupportedError for other decoders, FileFormatError for broken ones
 */
export function parseTokenDecoder(config: unknown, file: string): TokenBytes {
  if (!isJsonObject(config)) throw new UnsupportedError(`${file}: a tokenizer without a decoder is not known`)
  const steps = config.type === 'Sequence' ? config.decoders : [config]
  if (!Array.isArray(steps)) throw new FileFormatError(file, 'expected an array', { item: 'decoder.decoders' })
  const stages: Stage[] = []
  let leadingSpaces = 0
  for (const step of steps) {
    if (!isJsonObject(step)) throw new FileFormatError(file, 'expected an object', { item: 'decoder' })
    switch (step.type) {
      case 'ByteLevel':
        stages.push((piece) => (typeof piece === 'string' ? (fromByteLevel(piece) ?? piece) : piece))
        break
      case 'ByteFallback':
        stages.push((piece) => (typeof piece === 'string' ? (fallbackByte(piece) ?? piece) : piece))
        break
      case 'Replace':
        stages.push(replace(step, file))
        break
      case 'Metaspace':
        stages.push(replaceAll(typeof step.replacement === 'string' ? step.replacement : '▁', ' '))
        if (step.prepend_scheme !== 'never' && step.add_prefix_space !== false) leadingSpaces = 1
        break
      case 'Fuse':
        break
      case 'Strip':
        leadingSpaces = strip(step, file)
        break
      default:
        throw new UnsupportedError(`${file}: tokenizer decoder ${JSON.stringify(step.type ?? null)} is not known`)
    }
  }
  const bytes = (token: string) => {
    const piece = stages.reduce<string | Uint8Array>((value, stage) => stage(value), token)
    return typeof piece === 'string' ? encoder.encode(piece) : piece
  }
  return { bytes, leadingSpaces }
}

function replaceAll(from: string, to: string): Stage {
  return (piece) => (typeof piece === 'string' ? piece.replaceAll(from, to) : piece)
}

function replace(step: Record<string, unknown>, file: string): Stage {
  const from = isJsonObject(step.pattern) ? step.pattern.String : undefined
  if (typeof from !== 'string' || from === '' || typeof step.content !== 'string') {
    throw new UnsupportedError(`${file}: tokenizer decoder Replace: only of a string by a string is known`)
  }
  return replaceAll(from, step.content)
}

function strip(step: Record<string, unknown>, file: string): number {
  const { content, start, stop } = step
  if (content !== ' ' || !Number.isInteger(start) || (start as number) < 0 || (start as number) > 64 || stop !== 0) {
    throw new UnsupportedError(`${file}: tokenizer decoder Strip: only of up to 64 spaces at the start is known`)
  }
  return start as number
}

/** "<0x0A>" → its byte. */
function fallbackByte(token: string): Uint8Array | undefined {
  return /^<0x[0-9A-Fa-f]{2}>$/.test(token) ? Uint8Array.of(Number.parseInt(token.slice(3, 5), 16)) : undefined
}

/** Byte-level tokens spell each byte as one printable character; undefined if one of them is another character. */
function fromByteLevel(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfCharacter.get(token.charCodeAt(i))
    if (byte === undefined) return undefined
    bytes[i] = byte
  }
  return bytes
}

/** GPT-2's alphabet: printable Latin-1 characters stand for themselves, the other bytes for U+0100, U+0101 … in order. */
const byteOfCharacter = new Map<number, number>()
for (let byte = 0, other = 256; byte < 256; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad)
  byteOfCharacter.set(printable ? byte : other++, byte)
}
