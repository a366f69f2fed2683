import { type FileHandle, open, stat } from 'node:fs/promises'
import { FileFormatError } from '../errors.js'
import { readError } from './system-error.js'

/** A file open for reading. */
export interface RegularFile extends AsyncDisposable {
  readonly handle: FileHandle
  /** Bytes, when it was opened. */
  readonly size: number
}

/**
 * Opens a file for reading; not a pipe or a device, which could block or never end.
 * @throws FileFormatError if there is none or it cannot be read
 */
export async function openRegularFile(path: string): Promise<RegularFile> {
  try {
    // Looked at before, as opening a pipe waits for its writer.
    if (!(await stat(path)).isFile()) throw new FileFormatError(path, 'is not a regular file')
    const handle = await open(path, 'r')
    try {
      const { size } = await handle.stat()
      return { handle, size, [Symbol.asyncDispose]: () => handle.close() }
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw readError(path, error)
  }
}
