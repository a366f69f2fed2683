import type { FileHandle } from 'node:fs/promises'
import { FileFormatError } from '../errors.js'
import { readError } from './system-error.js'

/** Bytes per call of the system: single calls above 2 GiB fail, and an abort is seen between two calls. */
const CHUNK_BYTES = 2 ** 22

/** Calls at once: as many as threads that Node.js has for them, which disks and copies out of the system's cache both want. */
const CALLS_AT_ONCE = 4

/** Makes a buffer of so many bytes, whose content does not matter; throws if there is no memory. */
export type Allocate = (bytes: number) => ArrayBuffer

export interface ReadBytesOptions {
  /** Path, for errors. */
  readonly file: string
  /** What is read, for errors. */
  readonly item?: string
  /** Default `new ArrayBuffer`. */
  readonly allocate?: Allocate | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads `length` bytes from `position` into a fresh buffer.
 * @throws FileFormatError if the file ends before, cannot be read, or does not fit in memory
 */
export async function readBytes(
  handle: FileHandle,
  position: number,
  length: number,
  { file, item, allocate = (bytes) => new ArrayBuffer(bytes), signal }: ReadBytesOptions,
): Promise<ArrayBuffer> {
  const options = item === undefined ? {} : { item }
  let buffer: ArrayBuffer
  try {
    buffer = allocate(length)
  } catch (cause) {
    throw new FileFormatError(file, `${length} bytes do not fit in memory`, { ...options, cause })
  }
  let next = 0
  /** Where the file was found to end. */
  let end = length
  const readChunks = async () => {
    while (next < end) {
      signal?.throwIfAborted()
      const begin = next
      next = Math.min(begin + CHUNK_BYTES, length)
      for (let at = begin, last = next; at < last; ) {
        const { bytesRead } = await handle.read(new Uint8Array(buffer, at, last - at), 0, last - at, position + at).catch(stop)
        if (bytesRead === 0) {
          end = Math.min(end, at)
          return
        }
        at += bytesRead
      }
    }
  }
  const stop = (error: unknown) => {
    end = 0
    throw readError(file, error)
  }
  // All calls end before the buffer and the file are the caller's again.
  const readers = Array.from({ length: Math.min(CALLS_AT_ONCE, Math.ceil(length / CHUNK_BYTES)) }, readChunks)
  for (const reader of await Promise.allSettled(readers)) {
    if (reader.status === 'rejected') throw reader.reason
  }
  if (end < length) {
    throw new FileFormatError(file, `is truncated: expected ${length} bytes at ${position}, found ${end}`, options)
  }
  return buffer
}

/** Writes all bytes of an array at the handle's place. */
export async function writeBytes(handle: FileHandle, data: ArrayBufferView, signal?: AbortSignal): Promise<void> {
  for (let done = 0; done < data.byteLength; ) {
    signal?.throwIfAborted()
    const chunk = new Uint8Array(data.buffer, data.byteOffset + done, Math.min(CHUNK_BYTES, data.byteLength - done))
    done += (await handle.write(chunk)).bytesWritten
  }
}
