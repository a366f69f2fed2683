import { FileFormatError, InvalidArgumentError } from '../errors.js'
import { dtypeOfFile, LENGTH_BYTES, type SafetensorsHeader } from '../safetensors/format.js'
import { parseHeaderLength, parseSafetensorsHeader } from '../safetensors/parse.js'
import { bytesPerElement, type DType, elementCount, type Tensor, typedArray } from '../tensor.js'
import { type Allocate, readBytes } from './bytes.js'
import { nearNames } from './near-names.js'
import { openRegularFile } from './regular-file.js'

/** Most elements of one read: a typed array holds no more in V8. */
const MAX_ELEMENTS = 2 ** 32 - 1

/** A tensor of a file, not read yet. */
export interface TensorInfo {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Path of the file that holds it. */
  readonly file: string
  readonly byteLength: number
}

export interface ReadOptions {
  /** Seen between chunks of 4 MiB; the read then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface OpenOptions {
  /** Makes the buffers of tensors; default `new ArrayBuffer`. */
  readonly allocate?: Allocate | undefined
}

/** Where tensors are read from: one file or the shards of a folder. Stays open until disposed. */
export interface TensorSource extends AsyncDisposable {
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Tensors of dtypes that are not read (I64, BOOL, F8_E4M3, …): the dtype, as the file spells it, by name. */
  readonly unread: ReadonlyMap<string, string>
  /**
   * Reads a tensor into a buffer of its own.
   * @throws FileFormatError if there is no such tensor, it is one of `unread`, or the file has been cut since it was opened
   */
  read(name: string, options?: ReadOptions): Promise<Tensor>
  /**
   * Reads elements `firstElement` … `firstElement + count − 1` of a tensor in row-major order, and nothing else of the
   * file: the first planes of a weight under a memory budget.
   * @returns shape [count]
   * @throws FileFormatError as `read`; InvalidArgumentError if the range is not inside the tensor
   */
  readElements(name: string, firstElement: number, count: number, options?: ReadOptions): Promise<Tensor>
}

/** An open safetensors file. */
export interface SafetensorsFile extends TensorSource {
  readonly path: string
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Opens a safetensors file and checks its whole header; tensors are read when they are asked for. The file is taken as
 * hostile: whatever it holds, the outcome is a FileFormatError or tensors of the declared shapes.
 * @throws FileFormatError naming the file and, where there is one, the tensor
 */
export async function openSafetensors(path: string, { allocate }: OpenOptions = {}): Promise<SafetensorsFile> {
  const file = await openRegularFile(path)
  const { handle } = file
  let dataBegin: number
  let header: SafetensorsHeader
  try {
    const prefix = new Uint8Array(await readBytes(handle, 0, Math.min(LENGTH_BYTES, file.size), { file: path }))
    const length = parseHeaderLength(prefix, { file: path, fileBytes: file.size })
    dataBegin = LENGTH_BYTES + length
    const json = new Uint8Array(await readBytes(handle, LENGTH_BYTES, length, { file: path }))
    header = parseSafetensorsHeader(json, { file: path, dataBytes: file.size - dataBegin })
  } catch (error) {
    await handle.close()
    throw error
  }

  const tensors = new Map<string, TensorInfo>()
  for (const { name, dtype, shape, begin, end } of header.tensors.values()) {
    tensors.set(name, { name, dtype, shape, file: path, byteLength: end - begin })
  }

  const find = (name: string) => {
    const tensor = header.tensors.get(name)
    if (tensor !== undefined) return tensor
    const dtype = header.unread.get(name)
    if (dtype === undefined) throw missingTensor(path, name, tensors.keys())
    const known = [...dtypeOfFile.keys()].join(', ')
    throw new FileFormatError(path, `dtype ${dtype} is not read; convert it to one of ${known}`, { item: name })
  }
  const readElements: TensorSource['readElements'] = async (name, firstElement, count, { signal } = {}) => {
    const { dtype, shape, begin } = find(name)
    const elements = elementCount(shape)
    const inside = Number.isSafeInteger(firstElement) && Number.isSafeInteger(count) && firstElement >= 0 && count >= 0
    if (!inside || firstElement + count > elements) {
      throw new InvalidArgumentError(name, `a range of its ${elements} elements`, `${count} elements from ${firstElement}`)
    }
    if (count > MAX_ELEMENTS) {
      const message = `has ${count} elements, at most ${MAX_ELEMENTS} are read at once; use readElements`
      throw new FileFormatError(path, message, { item: name })
    }
    const size = bytesPerElement[dtype]
    const position = dataBegin + begin + firstElement * size
    const buffer = await readBytes(handle, position, count * size, { file: path, item: name, allocate, signal })
    return { dtype, shape: [count], data: typedArray(dtype, buffer, 0, count) }
  }

  return {
    path,
    metadata: header.metadata,
    tensors,
    unread: header.unread,
    async read(name, options) {
      const { shape } = find(name)
      return { ...(await readElements(name, 0, elementCount(shape), options)), shape }
    },
    readElements,
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** The error for a tensor that is not there, with the names most like it. */
export function missingTensor(file: string, name: string, names: Iterable<string>): FileFormatError {
  const near = nearNames(name, names)
  const hint = near.length === 0 ? '' : `; it holds ${near.join(', ')}`
  return new FileFormatError(file, `the tensor is missing${hint}`, { item: name })
}
