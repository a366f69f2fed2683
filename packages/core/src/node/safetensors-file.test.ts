import { open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeFile, encodeFile, smallFiles, temporaryFolder } from '../../test/small-files.js'
import { FileFormatError, InvalidArgumentError } from '../errors.js'
import { openSafetensors } from './safetensors-file.js'

const bytesOf = (data: ArrayBufferView) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)

test.each(Object.entries(smallFiles()))('reads a file with %s', async (_, bytes) => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeFile(path, bytes)
  const { header, data } = decodeFile(bytes)
  const { __metadata__: metadata = {}, ...tensors } = header

  await using file = await openSafetensors(path)
  expect(file.path).toBe(path)
  expect(file.metadata).toEqual(metadata)
  expect([...file.tensors.keys()]).toEqual(Object.keys(tensors))
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(tensors as Record<string, never>)) {
    const [begin, end] = offsets as [number, number]
    const info = { name, dtype: (dtype as string).toLowerCase(), shape, file: path, byteLength: end - begin }
    expect(file.tensors.get(name)).toEqual(info)
    const tensor = await file.read(name)
    expect({ dtype: tensor.dtype, shape: tensor.shape }).toEqual({ dtype: info.dtype, shape })
    expect(tensor.data.buffer.byteLength).toBe(end - begin)
    expect(bytesOf(tensor.data).equals(data.subarray(begin, end))).toBe(true)
  }
})

test('typed arrays are those of the dtypes', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeFile(path, smallFiles()['every dtype'])
  await using file = await openSafetensors(path)
  const kinds = [...file.tensors.keys()].map(async (name) => [name, (await file.read(name)).data.constructor])
  expect(Object.fromEntries(await Promise.all(kinds))).toEqual({
    float: Float32Array,
    int: Int32Array,
    word: Uint32Array,
    half: Uint16Array,
    brain: Uint16Array,
    byte: Uint8Array,
  })
})

test('reads some elements of a tensor', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeFile(path, smallFiles()['bit-planes'])
  await using file = await openSafetensors(path)
  const { data } = await file.read('layer.planes')
  expect(await file.readElements('layer.planes', 0, 12)).toEqual({ dtype: 'u32', shape: [12], data: data.slice(0, 12) })
  expect(await file.readElements('layer.planes', 7, 5)).toEqual({ dtype: 'u32', shape: [5], data: data.slice(7, 12) })
  expect(await file.readElements('layer.planes', 24, 0)).toEqual({ dtype: 'u32', shape: [0], data: data.slice(24) })
  for (const [first, count] of [
    [0, 25],
    [24, 1],
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [0, Number.NaN],
    [2 ** 53, 1],
  ]) {
    await expect(file.readElements('layer.planes', first, count)).rejects.toThrow(InvalidArgumentError)
  }
})

test('reads beyond 4 GiB', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'sparse.safetensors')
  const elements = 2 ** 30 + 2 ** 28
  const header = encodeFile({ a: { dtype: 'F32', shape: [elements], data_offsets: [0, 4 * elements] } }, new Uint8Array())
  {
    await using handle = await open(path, 'w')
    await handle.write(header)
    await handle.truncate(header.length + 4 * elements)
    await handle.write(Buffer.from(Float32Array.of(1, 2, 3).buffer), 0, 12, header.length + 4 * (elements - 3))
  }
  await using file = await openSafetensors(path)
  expect((await file.readElements('a', elements - 4, 4)).data).toEqual(Float32Array.of(0, 1, 2, 3))
})

test('a missing tensor is named, with what is like it', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeFile(path, smallFiles()['bit-planes'])
  await using file = await openSafetensors(path)
  const error = await file.read('layer.lut5').catch((e) => e)
  expect(error).toBeInstanceOf(FileFormatError)
  expect(error.message).toBe(`${path}: layer.lut5: the tensor is missing; it holds layer.lut3, layer.lut4, layer.planes`)
  await expect(file.read('constructor')).rejects.toThrow(/constructor: the tensor is missing$/)
})

test('a tensor of a dtype that is not read is listed; reading it is an error', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  const header = {
    ids: { dtype: 'I64', shape: [2], data_offsets: [0, 16] as [number, number] },
    w: { dtype: 'F32', shape: [1], data_offsets: [16, 20] as [number, number] },
  }
  await writeFile(path, encodeFile(header, new Uint8Array(20)))
  await using file = await openSafetensors(path)
  expect([...file.unread]).toEqual([['ids', 'I64']])
  expect((await file.read('w')).data).toEqual(Float32Array.of(0))
  const error = await file.read('ids').catch((e) => e)
  expect(error).toBeInstanceOf(FileFormatError)
  expect(error.message).toMatch(/ids: dtype I64 is not read; convert it to one of F32, F16, BF16/)
})

test('notices that a file is cut after it was opened', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeFile(path, smallFiles()['every dtype'])
  await using file = await openSafetensors(path)
  await truncate(path, smallFiles()['every dtype'].length - 1)
  await expect(file.read('byte')).rejects.toThrow(/byte: is truncated: expected 3 bytes .* found 2/)
  expect((await file.read('half')).data.length).toBe(5)
})

test('an abort ends a read', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeFile(path, smallFiles()['every dtype'])
  await using file = await openSafetensors(path)
  await expect(file.read('float', { signal: AbortSignal.abort() })).rejects.toThrow(/abort/)
})

test('reading after disposal is a typed error', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.safetensors')
  await writeFile(path, smallFiles()['every dtype'])
  const file = await openSafetensors(path)
  await file[Symbol.asyncDispose]()
  await expect(file.read('float')).rejects.toThrow(/the file has been closed/)
})

test('what is no file is refused', async () => {
  await using folder = await temporaryFolder()
  await expect(openSafetensors(join(folder.path, 'none'))).rejects.toThrow(/none: cannot be read: there is no such file/)
  await expect(openSafetensors(folder.path)).rejects.toThrow(/is not a regular file/)
  if (process.platform === 'linux') await expect(openSafetensors('/dev/zero')).rejects.toThrow(/is not a regular file/)
})
