import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { InvalidArgumentError } from '@dpllm/core'
import { type TensorData, writeBytes } from '@dpllm/core/node'
import { directoryHeader, endRecords, localHeader, type WrittenMember } from './zip-headers.js'

/** An entry to be written: its data comes when its turn does, in one piece or several. */
export interface ZipMember {
  readonly name: string
  readonly size: number
  readonly data: ArrayBufferView | (() => TensorData | Promise<TensorData>)
}

/** Where the checksum stands in a local header. */
const CRC_OFFSET = 14

/**
 * Writes a ZIP file of stored entries at the beginning of an empty file, with ZIP64 records where they are needed and every
 * entry's data at a multiple of 64 bytes, as torch does.
 * @param onMember called after every entry
 * @throws InvalidArgumentError if data has another size than was announced
 */
export async function writeZip(
  handle: FileHandle,
  members: readonly ZipMember[],
  { signal, onMember }: { signal?: AbortSignal | undefined; onMember?: (member: ZipMember) => void } = {},
): Promise<void> {
  const written: WrittenMember[] = []
  let position = 0
  for (const member of members) {
    signal?.throwIfAborted()
    const { name, size } = member
    const begin = position
    const header = localHeader(name, size, begin)
    await writeBytes(handle, header, signal)
    const crc = await writeData(handle, member, signal)
    // Only now is it known.
    const bytes = new DataView(new ArrayBuffer(4))
    bytes.setUint32(0, crc, true)
    await handle.write(bytes, 0, 4, begin + CRC_OFFSET)
    written.push({ name, size, begin, crc })
    position = begin + header.length + size
    onMember?.(member)
  }
  const directory = Buffer.concat(written.map(directoryHeader))
  await writeBytes(handle, directory, signal)
  await writeBytes(handle, endRecords(written.length, position, directory.length), signal)
}

/** @returns the checksum */
async function writeData(handle: FileHandle, { name, size, data }: ZipMember, signal: AbortSignal | undefined): Promise<number> {
  let crc = 0
  let written = 0
  const pieces = typeof data === 'function' ? await data() : data
  for await (const piece of ArrayBuffer.isView(pieces) ? [pieces] : pieces) {
    written += piece.byteLength
    if (written > size) break
    crc = crc32(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength), crc)
    await writeBytes(handle, piece, signal)
  }
  if (written !== size) throw new InvalidArgumentError(name, `${size} bytes of data`, written)
  return crc
}
