import fc from 'fast-check'
import { decodeFile, encodeFile, type RawHeader } from './small-files.js'

/** Changes the bytes of a well-formed file. */
export type Mutation = (file: Uint8Array) => Uint8Array

/** Numbers where arithmetic goes wrong. */
const edge = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.5, 4, 8, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64, 1e308),
  fc.nat(300),
)

/** Where in `length`: half of the time in the first 4096 bytes, where the header is. */
const place = (fraction: number, length: number) =>
  Math.floor(fraction < 0.5 ? 2 * fraction * Math.min(length, 4096) : (2 * fraction - 1) * length)
const fraction = fc.noBias(fc.nat(2 ** 24 - 1)).map((n) => n / 2 ** 24)

const truncation = fraction.map(
  (f): Mutation =>
    (file) =>
      new Uint8Array(file).slice(0, place(f, file.length)),
)

const extension = fc.uint8Array({ minLength: 1, maxLength: 9 }).map(
  (more): Mutation =>
    (file) =>
      Buffer.concat([file, more]),
)

const bitFlip = fc.tuple(fraction, fc.nat(7)).map(
  ([f, bit]): Mutation =>
    (file) => {
      const changed = new Uint8Array(file)
      if (changed.length > 0) changed[place(f, file.length)] ^= 1 << bit
      return changed
    },
)

const overwrite = fc.tuple(fraction, fc.uint8Array({ minLength: 1, maxLength: 16 })).map(
  ([f, bytes]): Mutation =>
    (file) => {
      const changed = new Uint8Array(file)
      bytes.forEach((byte, i) => {
        if (place(f, file.length) + i < changed.length) changed[place(f, file.length) + i] = byte
      })
      return changed
    },
)

const length = fc
  .oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 400n }),
    fc.constantFrom(100_000_000n, 100_000_001n, 2n ** 32n, 2n ** 53n),
  )
  .map(
    (n): Mutation =>
      (file) => {
        const changed = Buffer.from(file)
        if (changed.length >= 8) changed.writeBigUInt64LE(n)
        return changed
      },
  )

/** Mutations of the header's text; the length is put right, so that what follows is reached. */
const headerText = fc
  .oneof(
    fc.json({ maxDepth: 5 }).map((json) => () => json),
    fc.string({ maxLength: 60 }).map((text) => (old: string) => text + old),
    fc.string({ maxLength: 60 }).map((text) => (old: string) => old + text),
    fc.constantFrom('[', '{"a":').map((opening) => () => `{"x":${opening.repeat(100_000)}`),
    fc.constant((old: string) => `${old.slice(0, -1)},${old.slice(1)}`),
    fc.constant((old: string) => old.replaceAll('"dtype"', '"__proto__"')),
    fc.constant((old: string) => old.replace(/"[^"]*":\{/, '"__proto__":{')),
    fc
      .constantFrom('"I64"', '"F8_E5M2"', '"U8"', '"F32"', '"f32"', '"toString"', 'null', '7')
      .map((dtype) => (old: string) => old.replace(/"(F32|F16|U8|U32)"/, dtype)),
  )
  .map(
    (change): Mutation =>
      (file) =>
        withHeader(file, (header) => change(JSON.stringify(header))),
  )

/** Lies in one field of one tensor. */
const headerField = fc
  .record({
    which: fc.nat(),
    field: fc.constantFrom('shape', 'data_offsets', 'begin', 'end', 'dimension', 'both', 'missing', 'copy'),
    value: fc.oneof(edge, fc.jsonValue()),
    values: fc.array(edge, { maxLength: 20 }),
  })
  .map(
    ({ which, field, value, values }): Mutation =>
      (file) =>
        withHeader(file, (header) => {
          const names = Object.keys(header).filter((name) => name !== '__metadata__')
          const name = names[which % names.length]
          const tensor = header[name] as { dtype: unknown; shape: unknown[]; data_offsets: unknown[] } | undefined
          if (tensor === undefined) return { a: value as never }
          if (field === 'shape') tensor.shape = values
          if (field === 'data_offsets') tensor.data_offsets = values
          if (field === 'begin') tensor.data_offsets[0] = value
          if (field === 'end') tensor.data_offsets[1] = value
          if (field === 'dimension') tensor.shape[which % (tensor.shape.length + 1)] = value
          if (field === 'both')
            Object.assign(tensor, { shape: [values[0] ?? 1], data_offsets: [0, ((values[0] as number) ?? 1) * 4] })
          if (field === 'missing') delete header[name]
          if (field === 'copy') header[`${name}.copy`] = header[name]
          return header
        }),
  )

const sameSize: Record<string, string> = { F32: 'I32', I32: 'U32', U32: 'F32', F16: 'BF16', BF16: 'F16', U8: 'U8' }

/** Changes that leave a file well formed, if it was. */
const harmless = fc.tuple(fc.nat(), fc.constantFrom('data', 'dtype', 'shape', 'order', 'name', 'field')).map(
  ([n, what]): Mutation =>
    (file) => {
      if (what === 'data') return bitFlipInData(file, n)
      return withHeader(file, (header) => {
        const entries = Object.entries(header)
        if (what === 'order') return Object.fromEntries(entries.reverse())
        for (const [name, value] of entries) {
          if (name === '__metadata__') continue
          const tensor = value as { dtype: string; shape: number[] }
          if (what === 'dtype') tensor.dtype = sameSize[tensor.dtype] ?? tensor.dtype
          if (what === 'shape') tensor.shape = n % 2 ? [...tensor.shape].reverse() : [1, ...tensor.shape]
          if (what === 'field') Object.assign(tensor, { comment: 'none' })
        }
        return what === 'name'
          ? Object.fromEntries(entries.map(([name, value], i) => [i === n % entries.length ? `${name}.x` : name, value]))
          : header
      })
    },
)

function bitFlipInData(file: Uint8Array, n: number): Uint8Array {
  const changed = new Uint8Array(file)
  if (changed.length > 0) changed[changed.length - 1 - (n % Math.ceil(changed.length / 8))] ^= 1 << (n % 8)
  return changed
}

function withHeader(file: Uint8Array, change: (header: RawHeader) => RawHeader | string): Uint8Array {
  try {
    const { header, data } = decodeFile(file)
    return encodeFile(change(header), data)
  } catch {
    // An earlier mutation left no header to change.
    return file
  }
}

// Most get past the first checks, so that the later ones are reached.
const weighted = [
  { weight: 1, arbitrary: fc.oneof(truncation, extension, overwrite, length) },
  { weight: 1, arbitrary: bitFlip },
  { weight: 1, arbitrary: headerText },
  { weight: 4, arbitrary: headerField },
  { weight: 4, arbitrary: harmless },
]

/** One to three mutations, one after another. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .array(fc.oneof(...weighted), { minLength: 1, maxLength: 3 })
  .map((all) => (file) => all.reduce((bytes, mutation) => mutation(bytes), file))
