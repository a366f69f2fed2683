import { FileFormatError } from '@dpllm/core'

// ZIP files (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5) as torch.save writes them: entries are stored, not compressed,
// there is no comment, and sizes and positions may be ZIP64.

export const LOCAL_HEADER_BYTES = 30
export const DIRECTORY_HEADER_BYTES = 46
export const END_BYTES = 22
export const ZIP64_END_BYTES = 56
export const ZIP64_LOCATOR_BYTES = 20

export const signatures = {
  localHeader: 0x04034b50,
  directoryHeader: 0x02014b50,
  end: 0x06054b50,
  zip64End: 0x06064b50,
  zip64Locator: 0x07064b50,
} as const

/** Extra field that holds the sizes and positions for which 32 bits are too few; they read `IN_ZIP64` in their own place. */
export const ZIP64_EXTRA = 1
export const IN_ZIP64 = 2 ** 32 - 1
const COUNT_IN_ZIP64 = 2 ** 16 - 1

/** Most entries: one for each tensor (the limit of safetensors files), and a few beside them. */
export const MAX_ENTRIES = 2 ** 18
/** Largest directory: names of tensors' entries have some twenty bytes. */
export const MAX_DIRECTORY_BYTES = 2 ** 26
/** Longest name; real ones are `pytorch_model/data/123`. */
const MAX_NAME_BYTES = 1024

const ENCRYPTED = 1

/** An entry of a ZIP file. */
export interface ZipEntry {
  readonly name: string
  /** Bytes of its data, which is stored as it is. */
  readonly size: number
  /** Where its local header begins, and where the next entry's or the directory does. */
  readonly begin: number
  readonly limit: number
}

/** Where the directory lies. */
export interface DirectoryPlace {
  readonly entries: number
  readonly begin: number
  readonly end: number
}

/**
 * Reads the record at the end of the file; if the ZIP64 one is needed, says where that is.
 * @param tail the last bytes of the file, at most ZIP64_LOCATOR_BYTES + END_BYTES of them
 */
export function parseEnd(tail: DataView, fileBytes: number, file: string): DirectoryPlace | { readonly zip64End: number } {
  const at = tail.byteLength - END_BYTES
  if (at < 0 || tail.getUint32(at, true) !== signatures.end || tail.getUint16(at + 20, true) !== 0) {
    throw new FileFormatError(file, 'expected a ZIP file as torch.save writes (since version 1.6): cut off, or another format')
  }
  const locator = at - ZIP64_LOCATOR_BYTES
  if (locator >= 0 && tail.getUint32(locator, true) === signatures.zip64Locator) {
    return { zip64End: uint64(tail, locator + 8, file) }
  }
  const [entries, size, begin] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)]
  if (entries === COUNT_IN_ZIP64 || size === IN_ZIP64 || begin === IN_ZIP64) throw damaged(file, 'its ZIP64 record is missing')
  return checkPlace({ entries, begin, end: begin + size }, fileBytes - END_BYTES, file)
}

/**
 * Reads the ZIP64 record.
 * @param record ZIP64_END_BYTES bytes
 * @param at where they begin in the file
 */
export function parseZip64End(record: DataView, at: number, file: string): DirectoryPlace {
  if (record.getUint32(0, true) !== signatures.zip64End) throw damaged(file, 'there is no ZIP64 record where the file says')
  const [entries, size, begin] = [32, 40, 48].map((offset) => uint64(record, offset, file))
  return checkPlace({ entries, begin, end: begin + size }, at, file)
}

function checkPlace(place: DirectoryPlace, limit: number, file: string): DirectoryPlace {
  const { entries, begin, end } = place
  if (entries > MAX_ENTRIES) throw new FileFormatError(file, `has ${entries} entries, at most ${MAX_ENTRIES} are read`)
  if (end - begin > MAX_DIRECTORY_BYTES) {
    throw new FileFormatError(file, `has a directory of ${end - begin} bytes, at most ${MAX_DIRECTORY_BYTES} are read`)
  }
  if (end > limit) throw damaged(file, `its directory ends at ${end}, after byte ${limit}, where it should`)
  return place
}

/**
 * Reads the directory: entries by name, in the order of the file.
 * @param directory the bytes from `place.begin` to `place.end`
 * @throws FileFormatError for entries that are compressed, encrypted, named twice, or overlap
 */
export function parseDirectory(directory: DataView, place: DirectoryPlace, file: string): Map<string, ZipEntry> {
  const found: Omit<ZipEntry, 'limit'>[] = []
  let at = 0
  for (let i = 0; i < place.entries; i++) {
    if (at + DIRECTORY_HEADER_BYTES > directory.byteLength || directory.getUint32(at, true) !== signatures.directoryHeader) {
      throw damaged(file, `its directory has ${i} entries where ${place.entries} are announced`)
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => directory.getUint16(at + offset, true))
    const end = at + DIRECTORY_HEADER_BYTES + nameBytes + extraBytes + commentBytes
    if (end > directory.byteLength) throw damaged(file, 'its directory is cut off')
    found.push(parseEntry(directory, at, nameBytes, extraBytes, file))
    at = end
  }
  if (at !== directory.byteLength) throw damaged(file, `its directory has ${directory.byteLength - at} bytes too many`)
  return withLimits(found, place.begin, file)
}

function parseEntry(directory: DataView, at: number, nameBytes: number, extraBytes: number, file: string) {
  const name = entryName(directory, at + DIRECTORY_HEADER_BYTES, nameBytes, file)
  const refuse = (message: string) => new FileFormatError(file, message, { item: name })
  const [flags, method] = [directory.getUint16(at + 8, true), directory.getUint16(at + 10, true)]
  if (flags & ENCRYPTED) throw refuse('is encrypted')
  if (method !== 0) throw refuse(`is compressed (method ${method}); torch.save stores entries as they are`)
  const extra = zip64Extra(directory, at + DIRECTORY_HEADER_BYTES + nameBytes, extraBytes, file)
  const field = (offset: number) => {
    const value = directory.getUint32(at + offset, true)
    return value === IN_ZIP64 ? extra() : value
  }
  // The order in which the extra field holds them.
  const size = field(24)
  const stored = field(20)
  const begin = field(42)
  if (stored !== size) throw refuse(`has ${size} bytes, of which ${stored} are stored`)
  return { name, size, begin }
}

function entryName(directory: DataView, at: number, bytes: number, file: string): string {
  if (bytes > MAX_NAME_BYTES) throw damaged(file, `a name has ${bytes} bytes, at most ${MAX_NAME_BYTES} are read`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(directory.buffer, directory.byteOffset + at, bytes))
  } catch (cause) {
    throw new FileFormatError(file, 'the name of an entry is not UTF-8', { cause })
  }
}

/** Gives the numbers of the ZIP64 extra field one after another. */
function zip64Extra(view: DataView, at: number, bytes: number, file: string): () => number {
  let next = 0
  let end = 0
  for (let field = at; field + 4 <= at + bytes; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== ZIP64_EXTRA) continue
    next = field + 4
    end = Math.min(next + view.getUint16(field + 2, true), at + bytes)
    break
  }
  return () => {
    if (next + 8 > end) throw damaged(file, 'a ZIP64 field is missing')
    next += 8
    return uint64(view, next - 8, file)
  }
}

/** An entry may reach as far as the next one begins, so that none lie over each other. */
function withLimits(found: Omit<ZipEntry, 'limit'>[], directoryBegin: number, file: string): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>()
  found.sort((a, b) => a.begin - b.begin)
  for (const [i, entry] of found.entries()) {
    const limit = found[i + 1]?.begin ?? directoryBegin
    if (entry.begin + LOCAL_HEADER_BYTES + entry.size > limit) {
      throw new FileFormatError(file, `has ${entry.size} bytes at ${entry.begin}, where ${limit - entry.begin} are free`, {
        item: entry.name,
      })
    }
    if (entries.has(entry.name)) throw new FileFormatError(file, 'is there twice', { item: entry.name })
    entries.set(entry.name, { ...entry, limit })
  }
  return entries
}

function uint64(view: DataView, at: number, file: string): number {
  const value = view.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(file, `it speaks of byte ${value}`)
  return Number(value)
}

function damaged(file: string, what: string): FileFormatError {
  return new FileFormatError(file, `is damaged: ${what}`)
}
