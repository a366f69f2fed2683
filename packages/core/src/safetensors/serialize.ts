import { InvalidArgumentError } from '../errors.js'
import { bytesPerElement, type DType } from '../tensor.js'
import {
  DATA_ALIGNMENT,
  dtypeOfFile,
  LENGTH_BYTES,
  MAX_DIMENSIONS,
  MAX_HEADER_BYTES,
  MAX_NAME_LENGTH,
  MAX_TENSORS,
  METADATA_KEY,
  type SafetensorsTensor,
  tensorBytes,
} from './format.js'

/** What a header says of a tensor before its place is known. */
export interface TensorDeclaration {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/**
 * Gives every tensor its place in the data, without holes, each at a multiple of its element's size. The order is kept
 * if it allows that; otherwise wider elements go first, which always does.
 * @returns in the order of the data
 * @throws InvalidArgumentError for a name that is empty, too long or taken, too many dimensions, or an impossible shape
 */
export function layoutTensors(tensors: readonly TensorDeclaration[]): SafetensorsTensor[] {
  if (tensors.length > MAX_TENSORS)
    throw new InvalidArgumentError('tensors', `at most ${MAX_TENSORS} in one file`, tensors.length)
  const names = new Set<string>([METADATA_KEY])
  for (const { name, dtype, shape } of tensors) {
    if (name === '' || name.length > MAX_NAME_LENGTH || names.has(name)) {
      throw new InvalidArgumentError(
        'name',
        `a unique name of 1 to ${MAX_NAME_LENGTH} characters that is not ${METADATA_KEY}`,
        name,
      )
    }
    names.add(name)
    if (bytesPerElement[dtype] === undefined) {
      throw new InvalidArgumentError(`${name}.dtype`, `one of ${Object.keys(bytesPerElement).join(', ')}`, dtype)
    }
    if (shape.length > MAX_DIMENSIONS)
      throw new InvalidArgumentError(`${name}.shape`, `at most ${MAX_DIMENSIONS} dimensions`, shape.length)
    if (tensorBytes(bytesPerElement[dtype], shape) === undefined) {
      throw new InvalidArgumentError(`${name}.shape`, 'non-negative integers whose product is below 2^53', `[${shape}]`)
    }
  }
  const placed = place(tensors)
  if (placed.every((t) => t.begin % bytesPerElement[t.dtype] === 0)) return placed
  return place([...tensors].sort((a, b) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype]))
}

function place(tensors: readonly TensorDeclaration[]): SafetensorsTensor[] {
  let end = 0
  return tensors.map(({ name, dtype, shape }) => {
    const begin = end
    end += tensorBytes(bytesPerElement[dtype], shape) as number
    return { name, dtype, shape, begin, end }
  })
}

/**
 * The beginning of a file, up to where the data begins: length and header, filled up with spaces to a multiple of 64
 * bytes. Tensors in the order given, metadata by key: equal contents give equal bytes.
 * @param tensors as `layoutTensors` placed them
 * @throws InvalidArgumentError if the header is longer than readers accept
 */
export function serializeSafetensorsHeader(
  tensors: readonly SafetensorsTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const fileDTypes = new Map([...dtypeOfFile].map(([ofFile, ours]) => [ours, ofFile]))
  // Members are written one by one, as an object would put names like "0" first.
  const members: string[] = []
  const keys = Object.keys(metadata).sort()
  if (keys.length > 0) {
    const entries = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`)
    members.push(`${JSON.stringify(METADATA_KEY)}:{${entries.join(',')}}`)
  }
  for (const { name, dtype, shape, begin, end } of tensors) {
    const entry = { dtype: fileDTypes.get(dtype), shape, data_offsets: [begin, end] }
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`)
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`)
  const bytes = new Uint8Array(Math.ceil((LENGTH_BYTES + json.length) / DATA_ALIGNMENT) * DATA_ALIGNMENT).fill(0x20)
  const length = bytes.length - LENGTH_BYTES
  if (length > MAX_HEADER_BYTES)
    throw new InvalidArgumentError('tensors', `a header of at most ${MAX_HEADER_BYTES} bytes`, length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length, true)
  view.setUint32(4, 0, true)
  bytes.set(json, LENGTH_BYTES)
  return bytes
}
