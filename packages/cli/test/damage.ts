import type { Damage } from './hostile-folder.js'

/** What the header of a safetensors file says of a tensor. */
export interface TensorHeader {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly data_offsets: readonly [begin: number, end: number]
}
export type Header = Readonly<Record<string, TensorHeader>>

/** A safetensors file taken apart, without the code under test. */
export function decode(file: Buffer): { header: Header; data: Buffer } {
  const begin = 8 + Number(file.readBigUInt64LE(0))
  return { header: JSON.parse(file.toString('utf8', 8, begin)), data: file.subarray(begin) }
}

/** The file of a header, or a header's text, and data. */
export function encode(header: object | string, data: Uint8Array): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, data])
}

/** Replaces the header, or its text; the length before it is right. */
export function inHeader(change: (header: Header) => object | string): Damage {
  return (file) => {
    const { header, data } = decode(file)
    return encode(change(header), data)
  }
}

/** Sets what the header says of one tensor. */
export function inTensor(name: string, fields: Partial<TensorHeader>): Damage {
  return inHeader((header) => ({ ...header, [name]: { ...header[name], ...fields } }))
}

/** Changes where the header says that a tensor begins and ends. */
export function offsets(name: string, change: (begin: number, end: number) => unknown[]): Damage {
  return inHeader((header) => ({ ...header, [name]: { ...header[name], data_offsets: change(...header[name].data_offsets) } }))
}

/** Takes a tensor and its data out of a file that stays well formed. */
export function without(name: string): Damage {
  return (file) => {
    const { header, data } = decode(file)
    const [from, to] = header[name].data_offsets
    const rest = Object.entries(header).filter(([other]) => other !== name)
    const moved = rest.map(([other, tensor]) => {
      const shift = (at: number) => (at >= to ? at - (to - from) : at)
      return [other, other === '__metadata__' ? tensor : { ...tensor, data_offsets: tensor.data_offsets.map(shift) }]
    })
    return encode(Object.fromEntries(moved), Buffer.concat([data.subarray(0, from), data.subarray(to)]))
  }
}

/** Writes bytes over the data of a tensor, from its first element on. */
export function inData(name: string, bytes: readonly number[]): Damage {
  return (file) => {
    const { header, data } = decode(file)
    Buffer.from(bytes).copy(data, header[name].data_offsets[0])
    return file
  }
}

export const truncated =
  (part: number): Damage =>
  (file) =>
    file.subarray(0, Math.floor(part * file.length))

export const flipped =
  (at: number, bit: number): Damage =>
  (file) => {
    file[at] ^= 1 << bit
    return file
  }

/** The number of bytes that the file says its header has. */
export const headerLength =
  (length: bigint): Damage =>
  (file) => {
    file.writeBigUInt64LE(length)
    return file
  }

export const content =
  (text: string | Uint8Array): Damage =>
  () =>
    Buffer.from(text)
export const missing: Damage = () => undefined

/** Sets the field that `path` leads to in a JSON file; undefined removes it. */
export function field(path: readonly (string | number)[], value: unknown): Damage {
  return (file) => {
    const json = JSON.parse(file.toString())
    let parent = json
    for (const key of path.slice(0, -1)) parent = parent[key]
    parent[path[path.length - 1]] = value
    return Buffer.from(JSON.stringify(json))
  }
}
