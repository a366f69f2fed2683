import type { FileHandle } from 'node:fs/promises'
import { FileFormatError } from '../errors.js'
import { readError } from './system-error.js'

/** Bytes per call of the system: single calls above 2 GiB fail, and an abort is seen between two calls. */
const CHUNK_BYTES = 2 ** 24

/**
 * Reads `length` bytes from `position` into a fresh buffer.
 * @throws FileFormatError if the file ends before, cannot be read, or does not fit in memory
 */
export async function readBytes(
  handle: FileHandle,
  position: number,
  length: number,
  { file, item, signal }: { file: string; item?: string; signal?: AbortSignal | undefined },
): Promise<ArrayBuffer> {
  const options = item === undefined ? {} : { item }
  const buffer = allocate(length, file, options)
  for (let done = 0; done < length; ) {
    signal?.throwIfAborted()
    const chunk = new Uint8Array(buffer, done, Math.min(CHUNK_BYTES, length - done))
    let bytesRead: number
    try {
      bytesRead = (await handle.read(chunk, 0, chunk.length, position + done)).bytesRead
    } catch (error) {
      throw readError(file, error)
    }
    if (bytesRead === 0) {
      throw new FileFormatError(file, `is truncated: expected ${length} bytes at ${position}, found ${done}`, options)
    }
    done += bytesRead
  }
  return buffer
}

function allocate(length: number, file: string, options: { item?: string }): ArrayBuffer {
  try {
    return new ArrayBuffer(length)
  } catch (cause) {
    throw new FileFormatError(file, `${length} bytes do not fit in memory`, { ...options, cause })
  }
}

/** Writes all bytes of an array at the handle's place. */
export async function writeBytes(handle: FileHandle, data: ArrayBufferView, signal?: AbortSignal): Promise<void> {
  for (let done = 0; done < data.byteLength; ) {
    signal?.throwIfAborted()
    const chunk = new Uint8Array(data.buffer, data.byteOffset + done, Math.min(CHUNK_BYTES, data.byteLength - done))
    done += (await handle.write(chunk)).bytesWritten
  }
}
