import { FileFormatError } from '@dpllm/core'
import { openRegularFile, readBytes } from '@dpllm/core/node'
import {
  END_BYTES,
  LOCAL_HEADER_BYTES,
  parseDirectory,
  parseEnd,
  parseZip64End,
  signatures,
  ZIP64_END_BYTES,
  ZIP64_LOCATOR_BYTES,
  type ZipEntry,
} from './zip-directory.js'

export interface ReadEntryOptions {
  /** What the bytes are, for messages. Default the entry's name. */
  readonly item?: string
  readonly signal?: AbortSignal | undefined
}

/** A ZIP file of stored entries, open until disposed. */
export interface ZipFile extends AsyncDisposable {
  readonly path: string
  readonly entries: ReadonlyMap<string, ZipEntry>
  /** Reads `length` bytes of an entry from byte `begin` of it, which must be inside. @throws FileFormatError */
  read(entry: ZipEntry, begin: number, length: number, options?: ReadEntryOptions): Promise<ArrayBuffer>
}

/**
 * Opens a ZIP file and checks its directory; entries are read when they are asked for.
 * @throws FileFormatError naming the file and, where there is one, the entry
 */
export async function openZip(path: string): Promise<ZipFile> {
  const file = await openRegularFile(path)
  const { handle, size } = file
  const view = async (begin: number, length: number) => new DataView(await readBytes(handle, begin, length, { file: path }))
  const dataBegins = new Map<string, number>()

  /** The local header repeats the name and may hold padding: the data begins after both. */
  const dataBegin = async ({ name, begin, size: bytes, limit }: ZipEntry): Promise<number> => {
    const known = dataBegins.get(name)
    if (known !== undefined) return known
    const header = await view(begin, LOCAL_HEADER_BYTES)
    const at = begin + LOCAL_HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true)
    if (header.getUint32(0, true) !== signatures.localHeader || at + bytes > limit) {
      throw new FileFormatError(path, `is damaged: there is no such entry at byte ${begin}`, { item: name })
    }
    dataBegins.set(name, at)
    return at
  }

  try {
    const tailBytes = Math.min(size, ZIP64_LOCATOR_BYTES + END_BYTES)
    let place = parseEnd(await view(size - tailBytes, tailBytes), size, path)
    if ('zip64End' in place) {
      const at = place.zip64End
      if (at + ZIP64_END_BYTES > size) throw new FileFormatError(path, `is damaged: its ZIP64 record would be at ${at}`)
      place = parseZip64End(await view(at, ZIP64_END_BYTES), at, path)
    }
    const entries = parseDirectory(await view(place.begin, place.end - place.begin), place, path)
    return {
      path,
      entries,
      read: async (entry, begin, length, { item = entry.name, signal } = {}) =>
        readBytes(handle, (await dataBegin(entry)) + begin, length, { file: path, item, signal }),
      [Symbol.asyncDispose]: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}
