import { type Dict, type Global, global, orderedDict, type PythonValue, type Storage, type Tensor } from './python-values.js'

/** Most items that Python's pickler sets at once. */
const BATCH = 1000

/**
 * Pickles a value as CPython's pickler does by protocol 2 within torch.save: byte for byte, memo numbers included, if equal
 * strings are one object there (as interned ones are). Storages become persistent ids.
 * @param key gives the name of a storage's entry
 */
export function pickle(value: PythonValue, key: (storage: Storage) => string): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x80, 2)]
  const memo = new Map<object | string, number>()
  const write = (...bytes: number[]) => parts.push(Uint8Array.from(bytes))
  const writeNumber = (code: number, bytes: number, fill: (buffer: Buffer) => void) => {
    const buffer = Buffer.alloc(bytes)
    fill(buffer)
    parts.push(Uint8Array.of(code), buffer)
  }
  const keep = (object: object | string) => {
    const index = memo.size
    memo.set(object, index)
    if (index < 256) write(0x71, index)
    else writeNumber(0x72, 4, (b) => b.writeUInt32LE(index))
  }
  /** Whether it was written before: then its number is written. */
  const recall = (object: object | string): boolean => {
    const index = memo.get(object)
    if (index === undefined) return false
    if (index < 256) write(0x68, index)
    else writeNumber(0x6a, 4, (b) => b.writeUInt32LE(index))
    return true
  }

  const saveInt = (n: number) => {
    if (n >= 0 && n < 2 ** 8) write(0x4b, n)
    else if (n >= 0 && n < 2 ** 16) writeNumber(0x4d, 2, (b) => b.writeUInt16LE(n))
    else if (n >= -(2 ** 31) && n < 2 ** 31) writeNumber(0x4a, 4, (b) => b.writeInt32LE(n))
    else {
      // As few bytes as hold it with its sign.
      const bytes = Math.ceil((BigInt(n).toString(2).replace('-', '').length + 1) / 8)
      write(0x8a, bytes)
      const buffer = Buffer.alloc(8)
      buffer.writeBigInt64LE(BigInt(n))
      parts.push(buffer.subarray(0, bytes))
    }
  }
  const saveString = (text: string) => {
    if (recall(text)) return
    const bytes = Buffer.from(text)
    writeNumber(0x58, 4, (b) => b.writeUInt32LE(bytes.length))
    parts.push(bytes)
    keep(text)
  }
  const saveGlobal = (object: Global) => {
    if (recall(object)) return
    parts.push(Buffer.from(`c${object.module}\n${object.name}\n`))
    keep(object)
  }
  const saveTuple = (items: readonly PythonValue[], object: object) => {
    if (items.length === 0) return write(0x29)
    if (recall(object)) return
    if (items.length > 3) write(0x28)
    for (const item of items) save(item)
    write([0, 0x85, 0x86, 0x87][items.length] ?? 0x74)
    keep(object)
  }
  const saveItems = (items: Dict['dict']) => {
    for (let i = 0; i < items.length; i += BATCH) {
      const batch = items.slice(i, i + BATCH)
      if (batch.length > 1) write(0x28)
      for (const [k, v] of batch) {
        save(k)
        save(v)
      }
      write(batch.length > 1 ? 0x75 : 0x73)
    }
  }
  const saveTensor = (tensor: Tensor) => {
    const { storage, offset, shape, strides, requiresGrad } = tensor
    saveGlobal(global('torch._utils', '_rebuild_tensor_v2'))
    const ints = (values: readonly number[]) => ({ tuple: values.map((n) => ({ int: n })) })
    const id = { tuple: ['storage', global('torch', storage.type), key(storage), storage.location, { int: storage.elements }] }
    const args = [{ persistent: id }, { int: offset }, ints(shape), ints(strides), requiresGrad, orderedDict([])]
    saveTuple(args as unknown as PythonValue[], args)
    write(0x52)
    keep(tensor)
  }

  const save = (v: PythonValue): void => {
    if (v === null) write(0x4e)
    else if (v === true) write(0x88)
    else if (v === false) write(0x89)
    else if (typeof v === 'string') saveString(v)
    else if ('int' in v) saveInt(v.int)
    else if ('float' in v) writeNumber(0x47, 8, (b) => b.writeDoubleBE(v.float))
    else if ('tuple' in v) saveTuple(v.tuple, v)
    else if ('opcodes' in v) parts.push(v.opcodes)
    else if ('persistent' in v) {
      save((v as { persistent: PythonValue }).persistent)
      write(0x51)
    } else if (recall(v)) return
    else if ('dict' in v) {
      write(0x7d)
      keep(v)
      saveItems(v.dict)
    } else if ('list' in v) {
      write(0x5d)
      keep(v)
      if (v.list.length > 1) write(0x28)
      for (const item of v.list) save(item)
      if (v.list.length > 0) write(v.list.length > 1 ? 0x65 : 0x61)
    } else if ('storage' in v) saveTensor(v)
    else if ('call' in v) {
      saveGlobal(v.call)
      saveTuple(v.args, v.args)
      write(0x52)
      keep(v)
      saveItems(v.items ?? [])
      if (v.state !== undefined) {
        save(v.state)
        write(0x62)
      }
    } else saveGlobal(v)
  }
  save(value)
  write(0x2e)
  return Buffer.concat(parts)
}
