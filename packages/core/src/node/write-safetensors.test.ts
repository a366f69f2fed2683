import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeFile, temporaryFolder } from '../../test/small-files.js'
import { DpllmError, InvalidArgumentError } from '../errors.js'
import { bytesPerElement, type DType, elementCount, typedArray } from '../tensor.js'
import { openSafetensors } from './safetensors-file.js'
import { type TensorEntry, writeSafetensors } from './write-safetensors.js'

const tensor = fc
  .record({
    name: fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((name) => name !== '__metadata__'),
    dtype: fc.constantFrom(...(Object.keys(bytesPerElement) as DType[])),
    shape: fc.array(fc.nat(5), { maxLength: 3 }),
  })
  .chain((declaration) => {
    const length = elementCount(declaration.shape) * bytesPerElement[declaration.dtype]
    return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ ...declaration, bytes }))
  })

const tensors = fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 8 })

async function* piecewise(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

test('what is written is read again, however its data comes', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await fc.assert(
    fc.asyncProperty(tensors, fc.dictionary(fc.string(), fc.string()), async (given, metadata) => {
      const files: Buffer[] = []
      for (const dataOf of [
        (bytes: Uint8Array) => bytes,
        (bytes: Uint8Array) => () => bytes,
        (bytes: Uint8Array) => async () => bytes,
        (bytes: Uint8Array) => () => piecewise(bytes, 3),
      ]) {
        const entries = given.map(({ bytes, ...declaration }) => ({ ...declaration, data: dataOf(bytes) }))
        await writeSafetensors(path, entries, { metadata })
        files.push(await readFile(path))
      }
      for (const other of files) expect(other.equals(files[0])).toBe(true)

      await using file = await openSafetensors(path)
      expect(file.tensors.size).toBe(given.length)
      expect(Object.entries(file.metadata).sort()).toEqual(Object.entries(metadata).sort())
      for (const { name, dtype, shape, bytes } of given) {
        const read = await file.read(name)
        expect({ dtype: read.dtype, shape: read.shape }).toEqual({ dtype, shape })
        expect(new Uint8Array(read.data.buffer)).toEqual(bytes)
      }
      expect(await readdir(folder.path)).toEqual(['a.safetensors'])
    }),
    { numRuns: 60 },
  )
})

test('a tensor read can be written as it is', async () => {
  await using folder = await temporaryFolder()
  const [a, b] = [join(folder.path, 'a.safetensors'), join(folder.path, 'b.safetensors')]
  const data = Float32Array.of(1, Number.NaN, -0)
  await writeSafetensors(a, [{ name: 'x', dtype: 'f32', shape: [3], data }])
  await using file = await openSafetensors(a)
  await writeSafetensors(b, [{ name: 'x', ...(await file.read('x')) }])
  expect((await readFile(b)).equals(await readFile(a))).toBe(true)
})

test('data is asked for one tensor at a time, in the order of the file', async () => {
  await using folder = await temporaryFolder()
  const calls: string[] = []
  const progress: number[] = []
  const entry = (name: string, dtype: DType, count: number): TensorEntry => ({
    name,
    dtype,
    shape: [count],
    data: async () => {
      calls.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, 1))
      calls.push(`${name} ends`)
      return typedArray(dtype, new ArrayBuffer(count * bytesPerElement[dtype]), 0, count)
    },
  })
  await writeSafetensors(join(folder.path, 'a'), [entry('mask', 'u8', 3), entry('x', 'f32', 2), entry('y', 'f32', 1)], {
    onProgress: (p) => progress.push(p.done / p.total),
  })
  expect(calls).toEqual(['x begins', 'x ends', 'y begins', 'y ends', 'mask begins', 'mask ends'])
  expect(progress).toEqual([8 / 15, 12 / 15, 1])
})

test('the file is laid out as the format says', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeSafetensors(path, [
    { name: 'w', dtype: 'u32', shape: [2], data: Uint32Array.of(1, 0x04030201) },
    { name: 'h', dtype: 'f16', shape: [1], data: Uint16Array.of(0x3c00) },
  ])
  const { header, data } = decodeFile(await readFile(path))
  expect(header).toEqual({
    w: { dtype: 'U32', shape: [2], data_offsets: [0, 8] },
    h: { dtype: 'F16', shape: [1], data_offsets: [8, 10] },
  })
  expect([...data]).toEqual([1, 0, 0, 0, 1, 2, 3, 4, 0, 0x3c])
})

const good: TensorEntry = { name: 'good', dtype: 'f32', shape: [2], data: new Float32Array(2) }
const stop = new Error('stop')

test.each<[what: string, entries: (abort: AbortController) => TensorEntry[], error: unknown]>([
  ['data too short', () => [good, { ...good, name: 'b', data: new Float32Array(1) }], InvalidArgumentError],
  ['data too long', () => [good, { ...good, name: 'b', data: new Float32Array(3) }], InvalidArgumentError],
  ['pieces without end', () => [good, { ...good, name: 'b', data: endless }], InvalidArgumentError],
  ['a name twice', () => [good, good], InvalidArgumentError],
  [
    'a data function that throws',
    () => [
      good,
      {
        ...good,
        name: 'b',
        data: () => {
          throw stop
        },
      },
    ],
    stop,
  ],
  ['pieces that throw', () => [good, { ...good, name: 'b', data: throwing }], stop],
  [
    'an abort while data is made',
    (abort) => [
      good,
      {
        ...good,
        name: 'b',
        data: () => {
          abort.abort(stop)
          return new Float32Array(2)
        },
      },
      { ...good, name: 'c' },
    ],
    stop,
  ],
  [
    'an abort with the last tensor',
    (abort) => [
      {
        ...good,
        data: () => {
          abort.abort(stop)
          return new Float32Array(2)
        },
      },
    ],
    stop,
  ],
])('leaves nothing behind after %s', async (_, entries, error) => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeFile(path, 'as before')
  const abort = new AbortController()
  await expect(writeSafetensors(path, entries(abort), { signal: abort.signal })).rejects.toThrow(error as Error)
  expect(await readdir(folder.path)).toEqual(['a.safetensors'])
  expect(await readFile(path, 'utf8')).toBe('as before')
})

async function* endless() {
  for (;;) yield new Float32Array(1)
}

async function* throwing() {
  yield new Float32Array(1)
  throw stop
}

test('a folder that is not there is a typed error', async () => {
  await using folder = await temporaryFolder()
  const error = await writeSafetensors(join(folder.path, 'none', 'a'), [good]).catch((e) => e)
  expect(DpllmError.isInstance(error)).toBe(true)
  expect(error.message).toMatch(/none.a: cannot be written: there is no such file or folder/)
})
