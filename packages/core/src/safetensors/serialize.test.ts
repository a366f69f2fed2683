import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InvalidArgumentError } from '../errors.js'
import { bytesPerElement, type DType } from '../tensor.js'
import { tensorBytes } from './format.js'
import { parseHeaderLength, parseSafetensorsHeader } from './parse.js'
import { layoutTensors, serializeSafetensorsHeader, type TensorDeclaration } from './serialize.js'

const dtypes = Object.keys(bytesPerElement) as DType[]

const declarations = fc.uniqueArray(
  fc.record({
    name: fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((name) => name !== '__metadata__'),
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.nat(5), { maxLength: 4 }),
  }),
  { selector: (tensor) => tensor.name, maxLength: 12 },
)

function parseBack(bytes: Uint8Array, dataBytes: number) {
  const length = parseHeaderLength(bytes, { file: 'f', fileBytes: bytes.length + dataBytes })
  expect(length + 8).toBe(bytes.length)
  return parseSafetensorsHeader(bytes.subarray(8), { file: 'f', dataBytes })
}

test('a header says what was declared, and every tensor is aligned', () => {
  fc.assert(
    fc.property(declarations, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
      const placed = layoutTensors(tensors)
      const bytes = serializeSafetensorsHeader(placed, metadata)
      expect(bytes.length % 64).toBe(0)
      const header = parseBack(bytes, placed.at(-1)?.end ?? 0)
      expect(Object.entries(header.metadata).sort()).toEqual(Object.entries(metadata).sort())
      expect([...header.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
        [...placed].sort((a, b) => (a.name < b.name ? -1 : 1)),
      )
      for (const { name, dtype, shape, begin, end } of placed) {
        expect(begin % bytesPerElement[dtype]).toBe(0)
        expect(end - begin).toBe(tensorBytes(bytesPerElement[dtype], shape))
        expect(tensors).toContainEqual({ name, dtype, shape })
      }
    }),
  )
})

test('the order is kept where it aligns every tensor', () => {
  const tensors: TensorDeclaration[] = [
    { name: 'b.planes', dtype: 'u32', shape: [8, 3, 1] },
    { name: 'b.lut3', dtype: 'f16', shape: [3, 8] },
    { name: 'a.planes', dtype: 'u32', shape: [8, 3, 1] },
    { name: '0', dtype: 'f32', shape: [] },
  ]
  const placed = layoutTensors(tensors)
  expect(placed.map((t) => t.name)).toEqual(['b.planes', 'b.lut3', 'a.planes', '0'])
  expect(placed.map((t) => t.begin)).toEqual([0, 96, 144, 240])
  // Written in that order too: as the property of an object "0" would come first.
  expect(new TextDecoder().decode(serializeSafetensorsHeader(placed)).match(/"[\w.]+":\{/g)).toEqual([
    '"b.planes":{',
    '"b.lut3":{',
    '"a.planes":{',
    '"0":{',
  ])
})

test('otherwise wider elements go first', () => {
  const placed = layoutTensors([
    { name: 'mask', dtype: 'u8', shape: [3] },
    { name: 'half', dtype: 'f16', shape: [3] },
    { name: 'float', dtype: 'f32', shape: [1] },
    { name: 'brain', dtype: 'bf16', shape: [1] },
  ])
  expect(placed.map((t) => [t.name, t.begin, t.end])).toEqual([
    ['float', 0, 4],
    ['half', 4, 10],
    ['brain', 10, 12],
    ['mask', 12, 15],
  ])
})

test('the bytes of a header are fixed', () => {
  const placed = layoutTensors([{ name: 'w', dtype: 'bf16', shape: [2, 1] }])
  const text = '{"__metadata__":{"a":"1","b":"2"},"w":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}}'
  const bytes = serializeSafetensorsHeader(placed, { b: '2', a: '1' })
  expect(Buffer.from(bytes).toString('latin1')).toBe(`\x78\0\0\0\0\0\0\0${text.padEnd(120)}`)
})

const shape = [1]
test.each<[what: string, tensors: TensorDeclaration[]]>([
  ['no name', [{ name: '', dtype: 'f32', shape }]],
  ['a long name', [{ name: 'n'.repeat(1025), dtype: 'f32', shape }]],
  ['the name of the metadata', [{ name: '__metadata__', dtype: 'f32', shape }]],
  [
    'a name twice',
    [
      { name: 'a', dtype: 'f32', shape },
      { name: 'a', dtype: 'u8', shape },
    ],
  ],
  ['an unknown dtype', [{ name: 'a', dtype: 'f64' as DType, shape }]],
  ['a negative size', [{ name: 'a', dtype: 'f32', shape: [-1] }]],
  ['a fractional size', [{ name: 'a', dtype: 'f32', shape: [1.5] }]],
  ['an overflow', [{ name: 'a', dtype: 'f32', shape: [2 ** 40, 2 ** 12] }]],
  ['many dimensions', [{ name: 'a', dtype: 'f32', shape: Array(17).fill(1) }]],
])('refuses %s', (_, tensors) => {
  expect(() => layoutTensors(tensors)).toThrow(InvalidArgumentError)
})
