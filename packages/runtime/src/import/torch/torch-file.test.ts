import { FileFormatError } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  dict,
  float,
  int,
  list,
  numpy,
  opcodes,
  orderedDict,
  type PythonValue,
  storage,
  tensor,
  tuple,
} from '../../../test/torch-save/python-values.js'
import { useFiles } from '../../../test/torch-save/temporary-file.js'
import { type TorchSaveOptions, torchSave } from '../../../test/torch-save/torch-save.js'
import { ofKind, type PickleValue } from './pickle/pickle-values.js'
import { openTorchFile } from './torch-file.js'

const write = useFiles()

/** What is read of a value, with tensors as [dtype, shape, elements as numbers]. */
async function roundTrip(value: PythonValue, options?: TorchSaveOptions): Promise<unknown> {
  await using file = await openTorchFile(await write(torchSave(value, options)))
  const plain = async (v: PickleValue): Promise<unknown> => {
    if (ofKind(v, 'tuple') || ofKind(v, 'list')) return Promise.all(v.items.map(plain))
    if (ofKind(v, 'dict')) return Promise.all(v.entries.map(async ([k, w]) => [await plain(k), await plain(w)]))
    if (!ofKind(v, 'tensor')) return v
    const arrays = { f64: Float64Array, f32: Float32Array, i64: BigInt64Array, i32: Int32Array, u8: Uint8Array }
    const array = arrays[v.dtype as keyof typeof arrays] ?? Uint16Array
    const elements = new array(await file.readElements(v, 0, v.elements)) as ArrayLike<number | bigint>
    return [v.dtype, v.shape, Array.from(elements, Number)]
  }
  return await plain(file.value)
}

const u16 = (...values: number[]) => Uint16Array.from(values)

test('numbers, strings, tuples, lists and dicts', async () => {
  const integers = [0, 1, -1, 255, 256, 65535, 65536, -(2 ** 31), 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, 1 - 2 ** 53]
  expect(await roundTrip(list(...integers.map(int)))).toEqual(integers)
  const floats = [0.1, -0, 1e300, Number.POSITIVE_INFINITY, Number.NaN]
  expect(await roundTrip(list(...floats.map(float)))).toEqual(floats)
  expect(await roundTrip(tuple('', 'ü\u{1f600}', '\ufeffx', null, true, false))).toEqual([
    '',
    'ü\u{1f600}',
    '\ufeffx',
    null,
    true,
    false,
  ])
  expect(await roundTrip(dict([[tuple(int(0), 'q_proj'), list(tuple(), dict([]))]]))).toEqual([
    [
      [0, 'q_proj'],
      [[], []],
    ],
  ])
  const twice = list('x')
  expect(await roundTrip(tuple(twice, twice, 'x'))).toEqual([['x'], ['x'], 'x'])
  const attributes: [PythonValue, PythonValue][] = [['_metadata', orderedDict([['', dict([['version', int(1)]])]])]]
  expect(await roundTrip(orderedDict([['a', int(1)]], attributes))).toEqual([['a', 1]])
  expect(await roundTrip(orderedDict(Array.from({ length: 2500 }, (_, i) => [`k${i}`, int(i)])))).toHaveLength(2500)
})

test('the same by the opcodes of later protocols', async () => {
  const proto4 = (...body: (number | string)[]) => opcodes(0x80, 4, 0x95, '\x20\0\0\0\0\0\0\0', ...body)
  expect(await roundTrip(proto4(0x8c, 3, 'abc', 0x94, 0x68, 0, 0x86))).toEqual(['abc', 'abc'])
  expect(await roundTrip(proto4(0x8d, '\x02\0\0\0\0\0\0\0', 'ab'))).toBe('ab')
  expect(await roundTrip(proto4(0x43, 2, '\0\xff'))).toEqual(Uint8Array.of(0, 255))
  expect(await roundTrip(proto4(0x42, '\x01\0\0\0', '\x07'))).toEqual(Uint8Array.of(7))
  expect(await roundTrip(proto4(0x8e, '\x01\0\0\0\0\0\0\0', '\x07'))).toEqual(Uint8Array.of(7))
  expect(await roundTrip(proto4(0x8c, 11, 'collections', 0x8c, 11, 'OrderedDict', 0x93, ')R'))).toEqual([])
  expect(await roundTrip(opcodes(0x80, 2, 0x8b, '\x02\0\0\0', '\x00\x80'))).toBe(-32768)
})

test('scalars and arrays of numpy, by the names of its versions 1 and 2', async () => {
  for (const core of ['numpy.core', 'numpy._core'] as const) {
    const np = numpy(core)
    expect(await roundTrip(tuple(np.f64(0.1), np.f64(-1e300), np.f64(0.1)))).toEqual([0.1, -1e300, 0.1])
    const bytes = Uint8Array.of(0, 60, 0, 64)
    expect(await roundTrip(np.array('f2', [1, 2], bytes))).toEqual({ kind: 'array', dtype: 'f2', shape: [1, 2], bytes })
  }
})

test('tensors of every dtype, wherever they were, with or without requires_grad', async () => {
  const on = (location: string) =>
    tuple(
      tensor(storage('f64', Float64Array.of(0.1), location), []),
      tensor(storage('f32', Float32Array.of(1, 2, 3, 4, 5, 6), location), [2, 3], { requiresGrad: true }),
      tensor(storage('f16', u16(1, 0x7c00), location), [2]),
      tensor(storage('bf16', u16(9), location), [1, 1]),
      tensor(storage('i64', BigInt64Array.of(-3n), location), []),
      tensor(storage('i32', Int32Array.of(-5, 6), location), [2]),
      tensor(storage('u8', Uint8Array.of(7), location), [1]),
    )
  for (const location of ['cpu', 'cuda:0', 'cuda:7', 'mps', 'xpu:0']) {
    for (const byteorder of ['little', false] as const) {
      expect(await roundTrip(on(location), { byteorder })).toEqual([
        ['f64', [], [0.1]],
        ['f32', [2, 3], [1, 2, 3, 4, 5, 6]],
        ['f16', [2], [1, 0x7c00]],
        ['bf16', [1, 1], [9]],
        ['i64', [], [-3]],
        ['i32', [2], [-5, 6]],
        ['u8', [1], [7]],
      ])
    }
  }
})

test('views share a storage', async () => {
  const whole = storage(
    'i32',
    Int32Array.from({ length: 24 }, (_, i) => i),
  )
  const views = tuple(
    tensor(whole, [4, 6]),
    tensor(whole, [6, 4], { strides: [1, 6] }),
    tensor(whole, [2, 3], { offset: 7, strides: [6, 2] }),
    tensor(whole, [0, 6]),
    tensor(whole, [], { offset: 23 }),
    tensor(whole, [1, 24], { strides: [999, 1] }),
  )
  const rows = (n: number, of: (i: number) => number) => Array.from({ length: n }, (_, i) => of(i))
  expect(await roundTrip(views)).toEqual([
    ['i32', [4, 6], rows(24, (i) => i)],
    ['i32', [6, 4], rows(24, (i) => (i % 4) * 6 + Math.floor(i / 4))],
    ['i32', [2, 3], [7, 9, 11, 13, 15, 17]],
    ['i32', [0, 6], []],
    ['i32', [], [23]],
    ['i32', [1, 24], rows(24, (i) => i)],
  ])
})

test('any part of any view is what indexing says', async () => {
  const whole = Uint16Array.from({ length: 400 }, (_, i) => i)
  const views = fc
    .record({
      shape: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
      order: fc.nat(),
      gap: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ shape, order, gap }) => {
      // Dimensions in any order in memory, with gaps.
      const places = shape.map((_, i) => i).sort((a, b) => ((a + order) % 3) - ((b + order) % 3))
      const strides = shape.map(() => 0)
      places.reduce((stride, dimension) => {
        strides[dimension] = stride
        return stride * shape[dimension]
      }, gap)
      return { shape, strides }
    })
  await fc.assert(
    fc.asyncProperty(views, fc.nat(), fc.nat(), async ({ shape, strides }, a, b) => {
      const elements = shape.reduce((n, d) => n * d, 1)
      const extent = shape.reduce((n, d, i) => n + (d - 1) * strides[i], 1)
      fc.pre(extent <= whole.length)
      const first = a % elements
      const count = b % (elements - first + 1)
      const saved = torchSave(tensor(storage('f16', whole), shape, { strides }))
      await using file = await openTorchFile(await write(saved, 'view.pt'))
      const view = file.value
      if (!ofKind(view, 'tensor')) return expect.fail('no tensor')
      const found = new Uint16Array(await file.readElements(view, first, count))
      const expected = Array.from({ length: count }, (_, i) => {
        let rest = first + i
        let at = 0
        for (let d = shape.length - 1; d >= 0; d--) {
          at += (rest % shape[d]) * strides[d]
          rest = Math.floor(rest / shape[d])
        }
        return at
      })
      expect([...found]).toEqual(expected)
    }),
    { numRuns: 200 },
  )
})

test('ZIP64 fields and the ZIP without them say the same', async () => {
  const value = tensor(storage('f32', Float32Array.of(1, 2)), [2])
  const expected = ['f32', [2], [1, 2]]
  expect(await roundTrip(value, { entries: (all) => all.map((e) => ({ ...e, zip64: true })) })).toEqual(expected)
  expect(await roundTrip(value, { zip64End: false })).toEqual(expected)
  expect(await roundTrip(value, { prefix: 'pytorch_model' })).toEqual(expected)
})

test('big-endian files are refused', async () => {
  const bytes = torchSave(int(1), { byteorder: 'big' })
  await expect(openTorchFile(await write(bytes))).rejects.toThrow(/archive\/byteorder: expected little, found "big"/)
  await expect(openTorchFile(await write(bytes))).rejects.toBeInstanceOf(FileFormatError)
})
