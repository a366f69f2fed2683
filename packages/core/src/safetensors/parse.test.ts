import { expect, test } from 'vitest'
import { decodeFile, smallFiles } from '../../test/small-files.js'
import { DpllmError, FileFormatError } from '../errors.js'
import { MAX_HEADER_BYTES, MAX_TENSORS } from './format.js'
import { parseHeaderLength, parseSafetensorsHeader } from './parse.js'

const parse = (json: string | Uint8Array, dataBytes = 0) =>
  parseSafetensorsHeader(typeof json === 'string' ? new TextEncoder().encode(json) : json, { file: 'f.safetensors', dataBytes })

const length = (bytes: number[], fileBytes: number) =>
  parseHeaderLength(Uint8Array.from(bytes), { file: 'f.safetensors', fileBytes })

/** The error that `act` throws. */
function errorOf(act: () => unknown): FileFormatError {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(FileFormatError)
    return error as FileFormatError
  }
  throw new Error('nothing was thrown')
}

test.each(Object.entries(smallFiles()))('reads the header of a file with %s', (_, bytes) => {
  const { header, data } = decodeFile(bytes)
  const { __metadata__: metadata = {}, ...tensors } = header
  const parsed = parse(JSON.stringify(header), data.length)
  expect(parsed.metadata).toEqual(metadata)
  expect([...parsed.tensors.keys()]).toEqual(Object.keys(tensors))
  for (const tensor of parsed.tensors.values()) {
    const { name, dtype, shape, begin, end } = tensor
    expect({ dtype: dtype.toUpperCase(), shape, data_offsets: [begin, end] }).toEqual(tensors[name])
  }
})

test('spaces may follow the header', () => {
  expect(parse('{}      ').tensors.size).toBe(0)
})

const f32 = (shape: unknown, begin: number, end: number) => JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, end] })

test.each<[what: string, json: string, dataBytes: number, message: RegExp, item?: string]>([
  ['an array', '[]', 0, /does not begin with \{/],
  ['a space in front', ' {}', 0, /does not begin with \{/],
  ['no JSON', '{"a":', 0, /is not JSON/],
  ['text after the object', '{} {}', 0, /is not JSON/],
  ['an unknown dtype', '{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}', 1, /unsupported dtype "F4"; convert/, 'a'],
  ['our own spelling', '{"a":{"dtype":"f32","shape":[],"data_offsets":[0,4]}}', 4, /unsupported dtype "f32"/, 'a'],
  ['no dtype', '{"a":{"shape":[],"data_offsets":[0,4]}}', 4, /unsupported dtype none/, 'a'],
  ['a dtype of the prototype', '{"a":{"dtype":"constructor","shape":[],"data_offsets":[0,4]}}', 4, /unsupported dtype/, 'a'],
  ['a tensor that is null', '{"a":null}', 0, /expected an object/, 'a'],
  ['a tensor that is an array', '{"a":[]}', 0, /expected an object/, 'a'],
  ['no shape', '{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4, /expected a shape .* found none/, 'a'],
  ['too few bytes of a dtype that is not read', '{"a":{"dtype":"I64","shape":[],"data_offsets":[0,4]}}', 4, /needs 8 bytes/, 'a'],
  ['a negative size', `{"a":${f32([-1], 0, 4)}}`, 4, /non-negative integers/, 'a'],
  ['minus zero', '{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}', 0, /non-negative integers/, 'a'],
  ['a fractional size', `{"a":${f32([0.5], 0, 2)}}`, 2, /non-negative integers/, 'a'],
  ['a size as text', `{"a":${f32(['1'], 0, 4)}}`, 4, /non-negative integers/, 'a'],
  ['a size beyond 2^53', `{"a":${f32([2 ** 53], 0, 4)}}`, 4, /below 2\^53/, 'a'],
  ['a product that wraps to 4 in 64 bits', `{"a":${f32([2 ** 32, 2 ** 32], 0, 0)}}`, 0, /below 2\^53/, 'a'],
  ['an overflow beside a zero', `{"a":${f32([0, 2 ** 32, 2 ** 32], 0, 0)}}`, 0, /below 2\^53/, 'a'],
  ['a zero after an overflow', `{"a":${f32([2 ** 32, 2 ** 32, 0], 0, 0)}}`, 0, /below 2\^53/, 'a'],
  ['too many dimensions', `{"a":${f32(Array(17).fill(1), 0, 4)}}`, 4, /at most 16 dimensions/, 'a'],
  ['no offsets', '{"a":{"dtype":"F32","shape":[]}}', 0, /two non-negative integers, found none/, 'a'],
  ['one offset', '{"a":{"dtype":"F32","shape":[],"data_offsets":[4]}}', 4, /two non-negative integers/, 'a'],
  ['a negative offset', `{"a":${f32([], -4, 0)}}`, 4, /two non-negative integers/, 'a'],
  ['offsets the wrong way round', `{"a":${f32([], 4, 0)}}`, 4, /needs 4 bytes.* hold -4/, 'a'],
  ['a shape that the offsets do not hold', `{"a":${f32([2], 0, 4)}}`, 4, /needs 8 bytes.* hold 4/, 'a'],
  ['a tensor past the end', `{"a":${f32([2], 0, 8)}}`, 4, /truncated: .* 8 .* 4/, 'a'],
  ['offsets near 2^53', `{"a":${f32([], 2 ** 53 - 5, 2 ** 53 - 1)}}`, 4, /leaves a hole/, 'a'],
  ['a hole in front', `{"a":${f32([], 4, 8)}}`, 8, /leaves a hole/, 'a'],
  ['a hole between', `{"a":${f32([], 0, 4)},"b":${f32([], 8, 12)}}`, 12, /leaves a hole/, 'b'],
  ['two tensors in one place', `{"a":${f32([], 0, 4)},"b":${f32([], 0, 4)}}`, 4, /overlaps/, 'b'],
  ['half an overlap', `{"a":${f32([2], 0, 8)},"b":${f32([2], 4, 12)}}`, 12, /overlaps/, 'b'],
  ['data after the last tensor', `{"a":${f32([], 0, 4)}}`, 5, /expected 4 bytes of data.* found 5/],
  ['a name twice', `{"a":${f32([], 0, 4)},"a":${f32([], 0, 4)}}`, 4, /written twice/, 'a'],
  ['a name twice, once escaped', `{"a":${f32([], 0, 4)},"\\u0061":${f32([], 0, 4)}}`, 4, /written twice/, 'a'],
  ['a field twice', '{"a":{"dtype":"F32","dtype":"U8","shape":[],"data_offsets":[0,1]}}', 1, /written twice/, 'dtype'],
  ['metadata that is no object', '{"__metadata__":[]}', 0, /expected an object/, '__metadata__'],
  ['metadata that is no text', '{"__metadata__":{"a":1}}', 0, /expected strings, found 1 at "a"/, '__metadata__'],
  ['deep nesting', `{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, 0, /nested deeper than 3/],
  ['a long name', `{"${'n'.repeat(1025)}":${f32([], 0, 4)}}`, 4, /its name has 1025 characters/, 'n'.repeat(1025)],
])('refuses %s', (_, json, dataBytes, message, item) => {
  const error = errorOf(() => parse(json, dataBytes))
  expect(error.message).toMatch(message)
  expect(error.message.length).toBeLessThan(500)
  expect(error.file).toBe('f.safetensors')
  expect(error.item).toBe(item)
})

test('refuses a header that is not UTF-8', () => {
  expect(errorOf(() => parse(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d))).message).toMatch(/not UTF-8/)
})

test('refuses more tensors than the limit', () => {
  const tensor = f32([0], 0, 0)
  const json = `{${Array.from({ length: MAX_TENSORS + 1 }, (_, i) => `"${i}":${tensor}`).join(',')}}`
  expect(errorOf(() => parse(json)).message).toMatch(/at most 262144/)
})

test('refuses more elements than the limit before they are built', () => {
  expect(errorOf(() => parse(`{"a":{"shape":[${'1,'.repeat(24 * MAX_TENSORS)}1]}}`)).message).toMatch(/more than \d+ objects/)
})

test('tensors of dtypes that are not read are listed and take up their place', () => {
  const { tensors, unread } = parse(`{"ids":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"w":${f32([1], 16, 20)}}`, 20)
  expect([...unread]).toEqual([['ids', 'I64']])
  expect([...tensors.keys()]).toEqual(['w'])
  const overlap = `{"ids":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"w":${f32([1], 12, 16)}}`
  expect(errorOf(() => parse(overlap, 16)).message).toMatch(/w: overlaps/)
})

test('a tensor named __proto__ is a tensor', () => {
  const { tensors, metadata } = parse(`{"__proto__":${f32([], 0, 4)},"__metadata__":{"__proto__":"x"}}`, 4)
  expect(tensors.get('__proto__')).toEqual({ name: '__proto__', dtype: 'f32', shape: [], begin: 0, end: 4 })
  expect(Object.keys(metadata)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>).dtype).toBeUndefined()
})

test('what a hostile header is quoted with cannot reach the terminal', () => {
  const error = errorOf(() => parse('{"a\\u001b[31m":{}}'))
  expect(error.item).toBe('a\u001b[31m')
  expect(error.message).toContain('a\\x1b[31m')
  expect(DpllmError.isInstance(error)).toBe(true)
})

test('the length that begins a file', () => {
  expect(length([2, 1, 0, 0, 0, 0, 0, 0], 1000)).toBe(258)
  expect(length([0, 0, 0, 0, 0, 0, 0, 0], 8)).toBe(0)
})

test.each<[what: string, bytes: number[], fileBytes: number, message: RegExp]>([
  ['an empty file', [], 0, /at least 8 bytes, found 0/],
  ['seven bytes', [0, 0, 0, 0, 0, 0, 0], 7, /at least 8 bytes, found 7/],
  ['a header longer than the file', [1, 0, 0, 0, 0, 0, 0, 0], 8, /truncated/],
  ['a header above the limit', [1, 0xe1, 0xf5, 5, 0, 0, 0, 0], 2 ** 40, new RegExp(`at most ${MAX_HEADER_BYTES}`)],
  ['a header of 2^64 − 1 bytes', Array(8).fill(255), 2 ** 40, /at most 100000000/],
  ['a header of 2^32 bytes', [0, 0, 0, 0, 1, 0, 0, 0], 2 ** 40, /4294967296 bytes/],
])('refuses %s', (_, bytes, fileBytes, message) => {
  expect(errorOf(() => length(bytes, fileBytes)).message).toMatch(message)
})
