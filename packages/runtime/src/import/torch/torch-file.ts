import { FileFormatError } from '@dpllm/core'
import { describeValue, ofKind, type PickleValue, type StackTuple } from './pickle/pickle-values.js'
import { readPickle } from './pickle/read-pickle.js'
import { storageClasses, type TorchStorage, type TorchTensor, torchElementBytes } from './pickle/torch-tensor.js'
import { gatherElements, storageRange } from './tensor-elements.js'
import type { ZipEntry } from './zip/zip-directory.js'
import { openZip, type ZipFile } from './zip/zip-file.js'

/** Largest data.pkl that is read: a tensor takes some hundred bytes of it; arrays of numpy lie in it whole. */
const MAX_PICKLE_BYTES = 2 ** 28

export interface ReadTensorOptions {
  /** The tensor's name, for messages. */
  readonly item?: string
  readonly signal?: AbortSignal | undefined
}

/** A file of torch.save, open until disposed. */
export interface TorchFile extends AsyncDisposable {
  readonly path: string
  /** What was saved. */
  readonly value: PickleValue
  /**
   * Reads elements `first` … `first + count − 1` of a tensor in row-major order, and as little else as its strides allow.
   * @returns little-endian elements
   * @throws FileFormatError if the file has been cut since it was opened
   */
  readElements(tensor: TorchTensor, first: number, count: number, options?: ReadTensorOptions): Promise<ArrayBuffer>
}

/**
 * Opens a file of torch.save (the ZIP format, torch 1.6 and later). Nothing of the file is executed, and tensors are read
 * when they are asked for.
 * @throws FileFormatError naming the file and what in it is not read
 */
export async function openTorchFile(path: string): Promise<TorchFile> {
  const zip = await openZip(path)
  try {
    const pickle = findPickle(zip)
    const prefix = pickle.name.slice(0, -'data.pkl'.length)
    await checkByteOrder(zip, prefix)
    if (pickle.size > MAX_PICKLE_BYTES) {
      throw new FileFormatError(path, `has ${pickle.size} bytes, at most ${MAX_PICKLE_BYTES} are read`, { item: pickle.name })
    }
    const storages = new Map<string, TorchStorage>()
    const value = readPickle(new Uint8Array(await zip.read(pickle, 0, pickle.size)), {
      file: path,
      item: pickle.name,
      storage: (id) => findStorage(zip, prefix, storages, id),
    })
    return {
      path,
      value,
      readElements: async (tensor, first, count, options) => {
        const { begin, end } = storageRange(tensor, first, count)
        const bytes = torchElementBytes[tensor.dtype]
        const entry = zip.entries.get(`${prefix}data/${tensor.storage.key}`)!
        const stored = await zip.read(entry, begin * bytes, (end - begin) * bytes, options)
        return gatherElements(tensor, first, count, stored, begin)
      },
      [Symbol.asyncDispose]: () => zip[Symbol.asyncDispose](),
    }
  } catch (error) {
    await zip[Symbol.asyncDispose]()
    throw error
  }
}

/** All entries lie in one folder, whose name differs. */
function findPickle(zip: ZipFile): ZipEntry {
  const found = [...zip.entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name))
  if (found.length === 1) return found[0]
  throw new FileFormatError(zip.path, `expected a file of torch.save with one entry NAME/data.pkl, found ${found.length}`)
}

/** Absent before torch 2.1, which wrote as the machine did: in practice little-endian. */
async function checkByteOrder(zip: ZipFile, prefix: string): Promise<void> {
  const entry = zip.entries.get(`${prefix}byteorder`)
  if (entry === undefined) return
  const order = new TextDecoder().decode(await zip.read(entry, 0, Math.min(entry.size, 16)))
  if (order !== 'little') {
    throw new FileFormatError(
      zip.path,
      `expected little, found ${JSON.stringify(order)}; save again on a little-endian machine`,
      {
        item: entry.name,
      },
    )
  }
}

/** The storage of ('storage', class, key, location, elements); the location is where it was, not where it goes. */
function findStorage(zip: ZipFile, prefix: string, storages: Map<string, TorchStorage>, { items }: StackTuple): TorchStorage {
  const [tag, type, key, , elements] = items
  const dtype = ofKind(type, 'global') ? storageClasses.get(type.name) : undefined
  if (tag !== 'storage' || dtype === undefined || typeof key !== 'string' || typeof elements !== 'number') {
    throw new FileFormatError(zip.path, `has a persistent id that is no storage: ${items.map(describeValue).join(', ')}`, {
      item: `${prefix}data.pkl`,
    })
  }
  const item = `${prefix}data/${key}`
  const entry = zip.entries.get(item)
  if (entry === undefined) throw new FileFormatError(zip.path, 'a tensor needs this entry, and it is missing', { item })
  if (!Number.isSafeInteger(elements) || elements < 0 || elements * torchElementBytes[dtype] !== entry.size) {
    throw new FileFormatError(zip.path, `expected ${elements} elements of ${dtype}, found ${entry.size} bytes`, { item })
  }
  const known = storages.get(key)
  if (known !== undefined && known.dtype !== dtype) {
    throw new FileFormatError(zip.path, `is read as ${known.dtype} and as ${dtype}`, { item })
  }
  const storage = known ?? { kind: 'storage', key, dtype, elements }
  storages.set(key, storage)
  return storage
}
