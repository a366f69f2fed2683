import { FileFormatError } from '../errors.js'
import { duplicateKey, isJsonObject, parseJson } from '../json.js'
import { bytesPerElement } from '../tensor.js'
import {
  dtypeOfFile,
  LENGTH_BYTES,
  MAX_DIMENSIONS,
  MAX_HEADER_BYTES,
  MAX_NAME_LENGTH,
  MAX_TENSORS,
  METADATA_KEY,
  type SafetensorsHeader,
  type SafetensorsTensor,
  tensorBytes,
  unreadDTypes,
} from './format.js'

/** A matrix takes 3 objects and arrays, 4 colons and 5 commas; as many again are left for metadata and unknown fields. */
const MAX_HEADER_ITEMS = 24 * MAX_TENSORS

/**
 * Reads the length that begins a file and checks that such a header can be there.
 * @param bytes u8[8]
 * @param fileBytes size of the whole file
 * @returns bytes of the header; the data begins at 8 + this
 * @throws FileFormatError if the file is too short for it or it exceeds MAX_HEADER_BYTES
 */
export function parseHeaderLength(bytes: Uint8Array, { file, fileBytes }: { file: string; fileBytes: number }): number {
  if (bytes.length < LENGTH_BYTES || fileBytes < LENGTH_BYTES) {
    throw new FileFormatError(file, `is no safetensors file: expected at least ${LENGTH_BYTES} bytes, found ${fileBytes}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES)
  // Exact up to 2^53; what is rounded above that exceeds the limit anyway.
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true)
  if (length > MAX_HEADER_BYTES) {
    const message = `is no safetensors file: its header would have ${length} bytes, at most ${MAX_HEADER_BYTES} are read`
    throw new FileFormatError(file, message)
  }
  if (length > fileBytes - LENGTH_BYTES) {
    throw new FileFormatError(file, `is truncated: a header of ${length} bytes does not fit in ${fileBytes} bytes`)
  }
  return length
}

/**
 * Reads a header and checks everything that it says: a tensor that comes back lies inside the data, overlaps no other,
 * and has exactly the bytes of its shape.
 * @param json the header's bytes
 * @param dataBytes bytes that follow the header in the file
 * @throws FileFormatError naming the file and the tensor
 */
export function parseSafetensorsHeader(
  json: Uint8Array,
  { file, dataBytes }: { file: string; dataBytes: number },
): SafetensorsHeader {
  if (json[0] !== 0x7b) throw new FileFormatError(file, 'is no safetensors file: its header does not begin with {')
  const text = decodeUtf8(json, file)
  const root = parseJson(text, { file, maxDepth: 3, maxItems: MAX_HEADER_ITEMS }) as Record<string, unknown>
  const twice = duplicateKey(text)
  if (twice !== undefined) throw new FileFormatError(file, 'is written twice in the header', { item: twice })

  let metadata: Readonly<Record<string, string>> = {}
  const places: Place[] = []
  const tensors = new Map<string, SafetensorsTensor>()
  const unread = new Map<string, string>()
  for (const [name, value] of Object.entries(root)) {
    if (name === METADATA_KEY) {
      metadata = parseMetadata(value, file)
      continue
    }
    const { fileDType, shape, begin, end } = parseTensor(name, value, file)
    const dtype = dtypeOfFile.get(fileDType)
    if (dtype === undefined) unread.set(name, fileDType)
    else tensors.set(name, { name, dtype, shape, begin, end })
    places.push({ name, begin, end })
  }
  if (places.length > MAX_TENSORS) {
    throw new FileFormatError(file, `holds ${places.length} tensors, at most ${MAX_TENSORS} are read`)
  }
  checkCover(places, file, dataBytes)
  return { metadata, tensors, unread }
}

function decodeUtf8(json: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(json)
  } catch (cause) {
    throw new FileFormatError(file, 'is no safetensors file: its header is not UTF-8', { cause })
  }
}

function parseMetadata(value: unknown, file: string): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) throw new FileFormatError(file, `expected an object, found ${quote(value)}`, { item: METADATA_KEY })
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string') {
      throw new FileFormatError(file, `expected strings, found ${quote(entry)} at ${quote(key)}`, { item: METADATA_KEY })
    }
  }
  return value as Record<string, string>
}

/** Where a tensor lies in the data. */
type Place = Pick<SafetensorsTensor, 'name' | 'begin' | 'end'>

interface FileTensor extends Omit<SafetensorsTensor, 'dtype'> {
  /** A key of `dtypeOfFile` or `unreadDTypes`. */
  readonly fileDType: string
}

function parseTensor(name: string, value: unknown, file: string): FileTensor {
  const fail = (message: string) => new FileFormatError(file, message, { item: name })
  if (name.length > MAX_NAME_LENGTH) throw fail(`its name has ${name.length} characters, at most ${MAX_NAME_LENGTH} are read`)
  if (!isJsonObject(value)) throw fail('expected an object with dtype, shape and data_offsets')
  const { dtype: fileDType, shape, data_offsets: offsets } = value

  const elementBytes = typeof fileDType === 'string' ? elementBytesOf(fileDType) : undefined
  if (elementBytes === undefined) {
    throw fail(`unsupported dtype ${quote(fileDType)}; convert it to one of ${[...dtypeOfFile.keys()].join(', ')}`)
  }
  if (!Array.isArray(shape) || shape.length > MAX_DIMENSIONS) {
    throw fail(`expected a shape of at most ${MAX_DIMENSIONS} dimensions, found ${quote(shape)}`)
  }
  const bytes = tensorBytes(elementBytes, shape)
  if (bytes === undefined) {
    throw fail(`expected a shape of non-negative integers whose product is below 2^53, found ${quote(shape)}`)
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every((o) => Number.isSafeInteger(o) && o >= 0)) {
    throw fail(`expected data_offsets of two non-negative integers, found ${quote(offsets)}`)
  }
  const [begin, end] = offsets
  if (end - begin !== bytes) {
    throw fail(`shape [${shape}] of ${fileDType} needs ${bytes} bytes, but data_offsets [${begin}, ${end}] hold ${end - begin}`)
  }
  return { name, fileDType: fileDType as string, shape, begin, end }
}

function elementBytesOf(fileDType: string): number | undefined {
  const dtype = dtypeOfFile.get(fileDType)
  return dtype === undefined ? unreadDTypes.get(fileDType) : bytesPerElement[dtype]
}

/** A value of the header for a message: its beginning, where it is long. */
function quote(value: unknown): string {
  const text = JSON.stringify(Array.isArray(value) ? value.slice(0, MAX_DIMENSIONS + 1) : value) ?? 'none'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** Tensors must cover the data from its first byte to its last, each byte once. */
function checkCover(tensors: Place[], file: string, dataBytes: number): void {
  let covered = 0
  for (const { name, begin, end } of tensors.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const what = begin < covered ? 'overlaps the tensor before it' : 'leaves a hole after the tensor before it'
      throw new FileFormatError(file, `${what}: begins at byte ${begin}, expected ${covered}`, { item: name })
    }
    if (end > dataBytes) {
      const message = `is truncated: the tensor ends at byte ${end} of the data, the file has ${dataBytes}`
      throw new FileFormatError(file, message, { item: name })
    }
    covered = end
  }
  if (covered !== dataBytes) {
    throw new FileFormatError(file, `expected ${covered} bytes of data, as the header says, found ${dataBytes}`)
  }
}
