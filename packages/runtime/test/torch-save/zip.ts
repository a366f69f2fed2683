import { crc32 } from 'node:zlib'

/** An entry of a ZIP file; what is odd about it can be set for tests. */
export interface Entry {
  readonly name: string
  readonly data: Uint8Array
  readonly method?: number
  readonly flags?: number
  /** Puts sizes and position into a ZIP64 field though they are small. */
  readonly zip64?: boolean
}

/** A data descriptor follows the data; names are UTF-8. */
const FLAGS = 0x0808

/** Little-endian integers of 2, 4 or 8 bytes. */
export function fields(...values: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Uint8Array {
  return Buffer.concat(
    values.map(([bytes, value]) => {
      const buffer = Buffer.alloc(8)
      buffer.writeBigUInt64LE(BigInt(value))
      return buffer.subarray(0, bytes)
    }),
  )
}

/**
 * A ZIP file as torch.save writes it: stored entries whose local headers do not know their sizes, data at multiples of 64
 * bytes, data descriptors, ZIP64 records at the end.
 */
export function zip(entries: readonly Entry[], { zip64End = true }: { zip64End?: boolean } = {}): Uint8Array {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let position = 0
  const push = (bytes: Uint8Array) => {
    parts.push(bytes)
    position += bytes.length
  }
  for (const { name, data, method = 0, flags = FLAGS, zip64 = false } of entries) {
    const begin = position
    const bytes = Buffer.from(name)
    const padding = 63 - ((begin + 30 + bytes.length + 4 + 63) % 64)
    push(
      Buffer.concat([
        fields([4, 0x04034b50], [2, 0], [2, flags], [2, method], [4, 0], [4, 0], [4, 0], [4, 0]),
        fields([2, bytes.length], [2, 4 + padding]),
        bytes,
        fields([2, 0x4246], [2, padding]),
        Buffer.alloc(padding, 'Z'),
      ]),
    )
    push(data)
    const crc = crc32(data)
    push(fields([4, 0x08074b50], [4, crc], [4, data.length], [4, data.length]))
    const extra = zip64 ? fields([2, 1], [2, 24], [8, data.length], [8, data.length], [8, begin]) : new Uint8Array(0)
    const [size, at] = zip64 ? [0xffffffff, 0xffffffff] : [data.length, begin]
    directory.push(
      fields([4, 0x02014b50], [2, 0], [2, 0], [2, flags], [2, method], [4, 0], [4, crc], [4, size], [4, size]),
      fields([2, bytes.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, at]),
      bytes,
      extra,
    )
  }
  const begin = position
  for (const part of directory) push(part)
  const size = position - begin
  const count = entries.length
  if (zip64End) {
    const at = position
    push(fields([4, 0x06064b50], [8, 44], [2, 0x031e], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, size], [8, begin]))
    push(fields([4, 0x07064b50], [4, 0], [8, at], [4, 1]))
  }
  push(fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, begin], [2, 0]))
  return Buffer.concat(parts)
}
