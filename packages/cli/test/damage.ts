import type { Damage } from './hostile-folder.js'

/** What the header of a safetensors file says of a tensor. */
export interface TensorHeader {
  dtype: unknown
  shape: unknown[]
  data_offsets: [number, number]
}
export type Header = Record<string, TensorHeader>

/** A safetensors file taken apart, without the code under test. */
export function decode(file: Buffer): { header: Header; data: Buffer } {
  const begin = 8 + Number(file.readBigUInt64LE(0))
  return { header: JSON.parse(file.toString('utf8', 8, begin)), data: file.subarray(begin) }
}

/** The file of a header, or a header's text, and data. */
export function encode(header: Header | string, data: Uint8Array): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, data])
}

/** Replaces the header, or its text; the length before it is right. */
export function inHeader(change: (header: Header) => Header | string): Damage {
  return (file) => {
    const { header, data } = decode(file)
    return encode(change(header), data)
  }
}

/** Changes one tensor's lines of the header. */
export function inTensor(name: string, change: (tensor: TensorHeader) => void): Damage {
  return inHeader((header) => {
    change(header[name])
    return header
  })
}

/** Gives a tensor another shape and dtype of the same size, which alone is well formed. */
export function as(name: string, shape: number[], dtype?: string): Damage {
  return inTensor(name, (tensor) => Object.assign(tensor, { shape }, dtype === undefined ? {} : { dtype }))
}

/** Takes a tensor and its data out of a file that stays well formed. */
export function without(name: string): Damage {
  return (file) => {
    const { header, data } = decode(file)
    const [from, to] = header[name].data_offsets
    delete header[name]
    for (const { data_offsets: offsets } of Object.values(header)) {
      if (offsets?.[0] >= to)
        offsets.forEach((at, i) => {
          offsets[i] = at - (to - from)
        })
    }
    return encode(header, Buffer.concat([data.subarray(0, from), data.subarray(to)]))
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
