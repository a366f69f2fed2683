import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { decode, encode } from './damage.js'

/** A change of a file's bytes, or of one field of the JSON in it. */
export type Mutation =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'append'; readonly bytes: Uint8Array }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'overwrite'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'field'; readonly which: number; readonly change: FieldChange; readonly value: unknown }

type FieldChange = 'replace' | 'remove' | 'rename' | 'copy' | 'increase' | 'double'

/** Values at which arithmetic, types and names go wrong. */
const edges = [
  0,
  -1,
  0.5,
  3,
  9,
  300,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e308,
  '',
  'x',
  '__proto__',
  '../x',
  null,
  true,
  [],
  {},
  [-1],
  ['x'],
]

const at = fc.nat(2 ** 20 - 1).map((n) => n / 2 ** 20)
const bytes = fc.uint8Array({ minLength: 1, maxLength: 8 })
const value = fc.oneof(
  { arbitrary: fc.constantFrom(...edges), weight: 3 },
  { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 1 },
)
const changes: readonly FieldChange[] = ['replace', 'replace', 'remove', 'rename', 'copy', 'increase', 'double']

/** Half of them are changes of a field, which get past the first checks. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at }),
  fc.record({ kind: fc.constant('append' as const), bytes }),
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('overwrite' as const), at, bytes }),
  {
    arbitrary: fc.record({ kind: fc.constant('field' as const), which: fc.nat(), change: fc.constantFrom(...changes), value }),
    weight: 4,
  },
)

/** The changed file. The fields of a safetensors file are those of its header; a file without JSON stays as it is. */
export function mutate(name: string, file: Buffer, mutation: Mutation): Uint8Array {
  switch (mutation.kind) {
    case 'cut':
      return file.subarray(0, place(mutation.at, file.length))
    case 'append':
      return Buffer.concat([file, mutation.bytes])
    case 'flip':
      file[place(mutation.at, file.length)] ^= 1 << mutation.bit
      return file
    case 'overwrite':
      Buffer.from(mutation.bytes).copy(file, place(mutation.at, file.length))
      return file
    case 'field':
      if (name.endsWith('.json')) return Buffer.from(JSON.stringify(changeField(JSON.parse(file.toString()), mutation)))
      if (!name.endsWith('.safetensors')) return file
      return encode(changeField(decode(file).header, mutation) as object, decode(file).data)
  }
}

/** Where in a file: half of the time in its first 2 KiB, where headers are. */
function place(at: number, length: number): number {
  return Math.floor(at < 0.5 ? 2 * at * Math.min(length, 2048) : (2 * at - 1) * length)
}

/** Changes one of all the fields inside a JSON value, counted through. */
function changeField(json: unknown, { which, change, value }: Mutation & { kind: 'field' }): unknown {
  const places = fieldsOf(json)
  if (places.length === 0) return value
  const [parent, key] = places[which % places.length]
  const old = parent[key]
  if (change === 'replace' || (change !== 'remove' && Array.isArray(parent)))
    parent[key] = isDeepStrictEqual(old, value) ? null : value
  else if (change === 'copy') parent[`${key}.copy`] = old
  else if (change === 'rename') [parent[`${key}x`]] = [old, delete parent[key]]
  else if (change === 'remove' || typeof old !== 'number') delete parent[key]
  else parent[key] = change === 'double' ? 2 * old : old + 1
  return json
}

type Fields = Record<string, unknown>

/** Every field of objects and arrays inside a value, as its parent and key. */
function fieldsOf(value: unknown): (readonly [Fields, string])[] {
  if (typeof value !== 'object' || value === null) return []
  const parent = value as Fields
  return Object.keys(parent).flatMap((key) => [[parent, key] as const, ...fieldsOf(parent[key])])
}
