import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeFile, temporaryFolder } from '../../test/small-files.js'
import { FileFormatError, InvalidArgumentError } from '../errors.js'
import { openCheckpoint } from './checkpoint.js'
import { CHECKPOINT_FILE, CHECKPOINT_INDEX_FILE, MAX_SHARDS, shardFileName, writeCheckpointIndex } from './checkpoint-index.js'
import { expectTensor } from './expect-tensor.js'
import { writeCheckpoint } from './write-checkpoint.js'
import { type TensorEntry, writeSafetensors } from './write-safetensors.js'

const vector = (name: string, ...values: number[]): TensorEntry => ({
  name,
  dtype: 'f32',
  shape: [values.length],
  data: Float32Array.from(values),
})

const entries = [vector('b', 1, 2), vector('a', 3), vector('c', 4, 5, 6, 7), vector('d', 8)]

async function contents(directory: string): Promise<Record<string, number[]>> {
  await using checkpoint = await openCheckpoint(directory)
  expect(checkpoint.directory).toBe(directory)
  const all: Record<string, number[]> = {}
  for (const name of checkpoint.tensors.keys()) all[name] = [...(await checkpoint.read(name)).data]
  return all
}

const expected = { b: [1, 2], a: [3], c: [4, 5, 6, 7], d: [8] }

test('one file', async () => {
  await using folder = await temporaryFolder()
  await writeCheckpoint(folder.path, entries)
  expect(await readdir(folder.path)).toEqual([CHECKPOINT_FILE])
  expect(await contents(folder.path)).toEqual(expected)
})

test('shards and the index as Hugging Face writes it', async () => {
  await using folder = await temporaryFolder()
  const progress: number[] = []
  await writeCheckpoint(folder.path, entries, { maxShardBytes: 12, onProgress: (p) => progress.push(p.done / p.total) })
  const shards = [1, 2, 3].map((i) => shardFileName(i, 3))
  expect(shards[1]).toBe('model-00002-of-00003.safetensors')
  expect((await readdir(folder.path)).sort()).toEqual([...shards, CHECKPOINT_INDEX_FILE])
  expect(await readFile(join(folder.path, CHECKPOINT_INDEX_FILE), 'utf8')).toBe(`{
  "metadata": {
    "total_size": 32
  },
  "weight_map": {
    "a": "model-00001-of-00003.safetensors",
    "b": "model-00001-of-00003.safetensors",
    "c": "model-00002-of-00003.safetensors",
    "d": "model-00003-of-00003.safetensors"
  }
}
`)
  expect(await contents(folder.path)).toEqual(expected)
  expect(progress).toEqual([8 / 32, 12 / 32, 28 / 32, 1])
  await using checkpoint = await openCheckpoint(folder.path)
  expect((await checkpoint.readElements('c', 1, 2)).data).toEqual(Float32Array.of(5, 6))
  expect(checkpoint.tensors.get('c')?.file).toBe(join(folder.path, shards[1]))
  await expect(checkpoint.read('e')).rejects.toThrow(/index\.json: e: the tensor is missing/)
})

test('tensors that the index does not name are not there', async () => {
  await using folder = await temporaryFolder()
  await writeCheckpoint(folder.path, entries, { maxShardBytes: 12 })
  const index = { weight_map: { b: shardFileName(1, 3) } }
  await writeFile(join(folder.path, CHECKPOINT_INDEX_FILE), JSON.stringify(index))
  expect(await contents(folder.path)).toEqual({ b: [1, 2] })
})

test('tensors of dtypes that are not read are listed in shards, too', async () => {
  await using folder = await temporaryFolder()
  await writeSafetensors(join(folder.path, 'x.safetensors'), [vector('a', 1)])
  const header = { ids: { dtype: 'BOOL', shape: [3], data_offsets: [0, 3] as [number, number] } }
  await writeFile(join(folder.path, 'y.safetensors'), encodeFile(header, new Uint8Array(3)))
  const index = { weight_map: { a: 'x.safetensors', ids: 'y.safetensors' } }
  await writeFile(join(folder.path, CHECKPOINT_INDEX_FILE), JSON.stringify(index))
  expect(await contents(folder.path)).toEqual({ a: [1] })
  await using checkpoint = await openCheckpoint(folder.path)
  expect([...checkpoint.unread]).toEqual([['ids', 'BOOL']])
  await expect(checkpoint.read('ids')).rejects.toThrow(/y\.safetensors: ids: dtype BOOL is not read/)
  expect(() => expectTensor(checkpoint, 'ids', ['f32'], [3])).toThrow(/ids: the model needs this tensor, and dtype BOOL/)
  expect(() => expectTensor(checkpoint, 'b', ['f32'], [1])).toThrow(/b: the model needs this tensor, and no file/)
  expect(() => expectTensor(checkpoint, 'a', ['f16', 'bf16'], [1])).toThrow(/expected dtype f16 or bf16, found f32/)
  expect(() => expectTensor(checkpoint, 'a', ['f32'], [2])).toThrow(/expected shape \[2\] from config\.json, found \[1\]/)
  expect(expectTensor(checkpoint, 'a', ['f32'], [1]).file).toBe(join(folder.path, 'x.safetensors'))
})

test('weights of both kinds in one folder are not made', async () => {
  await using folder = await temporaryFolder()
  await writeCheckpoint(folder.path, entries)
  await expect(writeCheckpoint(folder.path, entries, { maxShardBytes: 12 })).rejects.toThrow(InvalidArgumentError)
  expect(await readdir(folder.path)).toEqual([CHECKPOINT_FILE])
})

test('one tensor in two shards is no index', async () => {
  await using folder = await temporaryFolder()
  await writeSafetensors(join(folder.path, 'x.safetensors'), [vector('a', 1)])
  await writeSafetensors(join(folder.path, 'y.safetensors'), [vector('a', 2)])
  await expect(writeCheckpointIndex(folder.path, ['x.safetensors', 'y.safetensors'])).rejects.toThrow(/a in one of them/)
  expect((await readdir(folder.path)).sort()).toEqual(['x.safetensors', 'y.safetensors'])
})

test('a folder without weights', async () => {
  await using folder = await temporaryFolder()
  await expect(openCheckpoint(folder.path)).rejects.toThrow(/expected model\.safetensors or .* found neither/)
  await expect(openCheckpoint(join(folder.path, 'none'))).rejects.toThrow(/there is no such folder/)
})

test('a shard that is missing is named', async () => {
  await using folder = await temporaryFolder()
  await writeCheckpoint(folder.path, entries, { maxShardBytes: 12 })
  await rm(join(folder.path, shardFileName(2, 3)))
  await expect(openCheckpoint(folder.path)).rejects.toThrow(/model-00002-of-00003\.safetensors: cannot be read: there is no/)
})

const shard = shardFileName(1, 3)
test.each<[what: string, index: unknown, message: RegExp]>([
  ['no object', [], /expected an object with a weight_map/],
  ['no map', {}, /expected an object with a weight_map/],
  ['a list for a map', { weight_map: [shard] }, /expected an object with a weight_map/],
  ['a tensor that its shard does not hold', { weight_map: { b: shard, e: shard } }, /00001-of-00003.*: e: the tensor is missing/],
  ['a tensor of the prototype', { weight_map: { constructor: shard } }, /constructor: the tensor is missing/],
  [
    'a shard in another folder',
    { weight_map: { b: `../outside.safetensors` } },
    /b: expected the name of a \.safetensors file in the same/,
  ],
  ['a shard in a folder below', { weight_map: { b: 'below/outside.safetensors' } }, /in the same folder/],
  ['a shard by its whole path', { weight_map: { b: '/outside.safetensors' } }, /in the same folder/],
  ['a shard on another drive', { weight_map: { b: 'C:outside.safetensors' } }, /in the same folder/],
  ['a shard the Windows way', { weight_map: { b: '..\\outside.safetensors' } }, /in the same folder/],
  ['a shard with a zero byte', { weight_map: { b: 'a\0.safetensors' } }, /in the same folder/],
  ['a shard that is no safetensors file', { weight_map: { b: 'config.json' } }, /in the same folder/],
  ['a shard that is a number', { weight_map: { b: 1 } }, /found 1/],
  ['a shard with a long name', { weight_map: { b: `${'a'.repeat(300)}.safetensors` } }, /in the same folder/],
  [
    'many shards',
    { weight_map: Object.fromEntries(Array.from({ length: MAX_SHARDS + 1 }, (_, i) => [`t${i}`, `s${i}.safetensors`])) },
    /names 513 shards, at most 512/,
  ],
])('refuses an index with %s', async (_, index, message) => {
  await using folder = await temporaryFolder()
  const directory = join(folder.path, 'model')
  await mkdir(join(directory, 'below'), { recursive: true })
  await writeCheckpoint(directory, entries, { maxShardBytes: 12 })
  await writeSafetensors(join(folder.path, 'outside.safetensors'), [vector('b', 1)])
  await writeSafetensors(join(directory, 'below', 'outside.safetensors'), [vector('b', 1)])
  await writeFile(join(directory, CHECKPOINT_INDEX_FILE), JSON.stringify(index))
  const error = await openCheckpoint(directory).catch((e) => e)
  expect(error).toBeInstanceOf(FileFormatError)
  expect(error.message).toMatch(message)
})
