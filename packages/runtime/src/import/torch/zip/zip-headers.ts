import {
  DIRECTORY_HEADER_BYTES,
  END_BYTES,
  IN_ZIP64,
  LOCAL_HEADER_BYTES,
  signatures,
  ZIP64_END_BYTES,
  ZIP64_EXTRA,
  ZIP64_LOCATOR_BYTES,
} from './zip-directory.js'

/** Version of the format that knows ZIP64. */
const VERSION = 45
/** Names are UTF-8. */
const UTF8 = 1 << 11
/** Extra field that torch fills with the letter Z to align data. */
const PADDING_EXTRA = 0x4246
const ALIGNMENT = 64
const COUNT_IN_ZIP64 = 2 ** 16 - 1

/** An entry that has been written. */
export interface WrittenMember {
  readonly name: string
  readonly size: number
  readonly begin: number
  readonly crc: number
}

const utf8 = new TextEncoder()

/** The header before the data of an entry, which will begin at a multiple of 64 bytes; the checksum is left 0. */
export function localHeader(name: string, size: number, begin: number): Uint8Array {
  const bytes = utf8.encode(name)
  const zip64 = size >= IN_ZIP64 ? zip64Extra([size, size]) : new Uint8Array(0)
  const unaligned = begin + LOCAL_HEADER_BYTES + bytes.length + zip64.length + 4
  const padding = (ALIGNMENT - (unaligned % ALIGNMENT)) % ALIGNMENT
  const extra = Buffer.concat([zip64, extraField(PADDING_EXTRA, new Uint8Array(padding).fill(0x5a))])
  const view = new DataView(new ArrayBuffer(LOCAL_HEADER_BYTES))
  view.setUint32(0, signatures.localHeader, true)
  view.setUint16(4, VERSION, true)
  view.setUint16(6, UTF8, true)
  view.setUint32(18, Math.min(size, IN_ZIP64), true)
  view.setUint32(22, Math.min(size, IN_ZIP64), true)
  view.setUint16(26, bytes.length, true)
  view.setUint16(28, extra.length, true)
  return Buffer.concat([new Uint8Array(view.buffer), bytes, extra])
}

/** An entry's part of the directory. */
export function directoryHeader({ name, size, begin, crc }: WrittenMember): Uint8Array {
  const bytes = utf8.encode(name)
  const large = [...(size >= IN_ZIP64 ? [size, size] : []), ...(begin >= IN_ZIP64 ? [begin] : [])]
  const extra = large.length === 0 ? new Uint8Array(0) : zip64Extra(large)
  const view = new DataView(new ArrayBuffer(DIRECTORY_HEADER_BYTES))
  view.setUint32(0, signatures.directoryHeader, true)
  view.setUint16(4, VERSION, true)
  view.setUint16(6, VERSION, true)
  view.setUint16(8, UTF8, true)
  view.setUint32(16, crc, true)
  view.setUint32(20, Math.min(size, IN_ZIP64), true)
  view.setUint32(24, Math.min(size, IN_ZIP64), true)
  view.setUint16(28, bytes.length, true)
  view.setUint16(30, extra.length, true)
  view.setUint32(42, Math.min(begin, IN_ZIP64), true)
  return Buffer.concat([new Uint8Array(view.buffer), bytes, extra])
}

/** The records at the end of the file; the ZIP64 ones are always there, as in torch's files. */
export function endRecords(entries: number, directoryBegin: number, directoryBytes: number): Uint8Array {
  const zip64 = new DataView(new ArrayBuffer(ZIP64_END_BYTES))
  zip64.setUint32(0, signatures.zip64End, true)
  zip64.setBigUint64(4, BigInt(ZIP64_END_BYTES - 12), true)
  zip64.setUint16(12, VERSION, true)
  zip64.setUint16(14, VERSION, true)
  zip64.setBigUint64(24, BigInt(entries), true)
  zip64.setBigUint64(32, BigInt(entries), true)
  zip64.setBigUint64(40, BigInt(directoryBytes), true)
  zip64.setBigUint64(48, BigInt(directoryBegin), true)

  const locator = new DataView(new ArrayBuffer(ZIP64_LOCATOR_BYTES))
  locator.setUint32(0, signatures.zip64Locator, true)
  locator.setBigUint64(8, BigInt(directoryBegin + directoryBytes), true)
  locator.setUint32(16, 1, true)

  const end = new DataView(new ArrayBuffer(END_BYTES))
  end.setUint32(0, signatures.end, true)
  end.setUint16(8, Math.min(entries, COUNT_IN_ZIP64), true)
  end.setUint16(10, Math.min(entries, COUNT_IN_ZIP64), true)
  end.setUint32(12, Math.min(directoryBytes, IN_ZIP64), true)
  end.setUint32(16, Math.min(directoryBegin, IN_ZIP64), true)
  return Buffer.concat([zip64, locator, end].map(({ buffer }) => new Uint8Array(buffer)))
}

function zip64Extra(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length))
  values.forEach((value, i) => {
    view.setBigUint64(8 * i, BigInt(value), true)
  })
  return extraField(ZIP64_EXTRA, new Uint8Array(view.buffer))
}

function extraField(id: number, data: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4))
  header.setUint16(0, id, true)
  header.setUint16(2, data.length, true)
  return Buffer.concat([new Uint8Array(header.buffer), data])
}
