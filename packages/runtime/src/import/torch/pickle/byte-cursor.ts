import { FileFormatError } from '@dpllm/core'

/** Reads one thing after another from bytes that may end anywhere. */
export interface ByteCursor {
  /** Bytes read so far. */
  readonly position: number
  /** The next byte as a number. */
  u8(): number
  u16(): number
  i32(): number
  u32(): number
  /** A u64 that f64 holds exactly. */
  u64(): number
  /** A big-endian f64. */
  f64(): number
  /** The next `count` bytes, not copied. */
  take(count: number): Uint8Array
  /** ASCII up to the next newline, which is read too. */
  line(): string
}

/** Longest line: lines are names of modules and classes. */
const MAX_LINE = 256

/** @throws FileFormatError, from every method, if the bytes end before */
export function createByteCursor(bytes: Uint8Array, file: string, item: string): ByteCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = 0
  /** Moves on by `count` bytes and returns where they begin. */
  const advance = (count: number) => {
    if (count > bytes.length - position) {
      throw new FileFormatError(file, `is cut off: expected ${count} bytes at ${position}, found ${bytes.length - position}`, {
        item,
      })
    }
    position += count
    return position - count
  }
  return {
    get position() {
      return position
    },
    u8: () => view.getUint8(advance(1)),
    u16: () => view.getUint16(advance(2), true),
    i32: () => view.getInt32(advance(4), true),
    u32: () => view.getUint32(advance(4), true),
    u64: () => {
      const value = view.getBigUint64(advance(8), true)
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FileFormatError(file, `announces ${value} bytes`, { item })
      return Number(value)
    },
    f64: () => view.getFloat64(advance(8), false),
    take: (count) => {
      const begin = advance(count)
      return bytes.subarray(begin, begin + count)
    },
    line: () => {
      const end = bytes.subarray(position, position + MAX_LINE).indexOf(0x0a)
      if (end < 0) throw new FileFormatError(file, `has no name of up to ${MAX_LINE} characters at ${position}`, { item })
      const text = String.fromCharCode(...bytes.subarray(position, position + end))
      position += end + 1
      return text
    },
  }
}
