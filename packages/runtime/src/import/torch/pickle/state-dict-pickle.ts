import { elementCount } from '@dpllm/core'
import { opcodes as op } from './pickle-opcodes.js'

/** dtypes that are saved, and torch's classes of storages for them. */
const storageClass = { f32: 'FloatStorage', f16: 'HalfStorage', bf16: 'BFloat16Storage', i32: 'IntStorage' } as const
export type SavedDType = keyof typeof storageClass

/** A contiguous tensor that is the whole of its storage. */
export interface SavedTensor {
  /** Of its storage, which others may share. */
  readonly key: string
  readonly dtype: SavedDType
  readonly shape: readonly number[]
}

/**
 * The pickle, of protocol 2, of an OrderedDict of tensors: what Python reads back as
 * `OrderedDict([(name, torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())), …])`.
 * Nothing is put in the memo, so every tensor stands by itself.
 */
export function stateDictPickle(tensors: ReadonlyMap<string, SavedTensor>): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(op.proto, 2), emptyOrderedDict, Uint8Array.of(op.mark)]
  for (const [name, tensor] of tensors) parts.push(string(name), pickledTensor(tensor))
  parts.push(Uint8Array.of(op.setitems, op.stop))
  return Buffer.concat(parts)
}

const emptyOrderedDict = Buffer.concat([global('collections', 'OrderedDict'), Uint8Array.of(op.emptyTuple, op.reduce)])

function pickledTensor({ key, dtype, shape }: SavedTensor): Uint8Array {
  const strides = shape.map((_, i) => elementCount(shape.slice(i + 1)))
  const id = tuple(
    string('storage'),
    global('torch', storageClass[dtype]),
    string(key),
    string('cpu'),
    integer(elementCount(shape)),
  )
  const storage = Buffer.concat([id, Uint8Array.of(op.binpersid)])
  const view = [integer(0), tuple(...shape.map(integer)), tuple(...strides.map(integer))]
  return Buffer.concat([
    global('torch._utils', '_rebuild_tensor_v2'),
    tuple(storage, ...view, Uint8Array.of(op.false), emptyOrderedDict),
    Uint8Array.of(op.reduce),
  ])
}

function tuple(...items: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(op.mark), ...items, Uint8Array.of(op.tuple)])
}

function global(module: string, name: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(op.global), Buffer.from(`${module}\n${name}\n`)])
}

function string(text: string): Uint8Array {
  const bytes = Buffer.from(text)
  const head = Buffer.alloc(5)
  head.writeUInt8(op.binunicode)
  head.writeUInt32LE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** An integer from 0 to 2^53. */
function integer(value: number): Uint8Array {
  if (value < 2 ** 31) {
    const bytes = Buffer.alloc(5)
    bytes.writeUInt8(op.binint)
    bytes.writeInt32LE(value, 1)
    return bytes
  }
  const bytes = Buffer.alloc(10)
  bytes.writeUInt8(op.long1)
  bytes.writeUInt8(8, 1)
  bytes.writeBigInt64LE(BigInt(value), 2)
  return bytes
}
