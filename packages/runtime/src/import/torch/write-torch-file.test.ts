import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { InvalidArgumentError } from '@dpllm/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTorchCheckpoint, TORCH_CHECKPOINT_FILE } from './torch-checkpoint.js'
import { openTorchFile } from './torch-file.js'
import { type TorchEntry, writeTorchFile } from './write-torch-file.js'
import { parseDirectory } from './zip/zip-directory.js'
import { directoryHeader, localHeader } from './zip/zip-headers.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-torch-'))
})
afterAll(() => rm(folder, { recursive: true }))

const file = () => path.join(folder, TORCH_CHECKPOINT_FILE)
const half = Uint16Array.from({ length: 12 }, (_, i) => i)
const entries: TorchEntry[] = [
  { name: 'embedding', dtype: 'f16', shape: [4, 3], data: half },
  {
    name: 'pieces',
    dtype: 'i32',
    shape: [3],
    data: async function* () {
      yield Int32Array.of(-1)
      yield Int32Array.of(2, 3)
    },
  },
  { name: 'head', sameAs: 'embedding' },
  { name: 'scalar', dtype: 'f32', shape: [], data: () => Float32Array.of(0.5) },
  { name: 'ü'.repeat(40), dtype: 'bf16', shape: [0, 2], data: new Uint16Array(0) },
]

test('what is written is read: names, dtypes, shapes, elements, shared storages', async () => {
  const done: number[] = []
  await writeTorchFile(file(), entries, { onProgress: (p) => done.push(p.done, p.total) })
  expect(done).toEqual([24, 40, 36, 40, 40, 40, 40, 40])
  await using checkpoint = await openTorchCheckpoint(folder)
  expect([...checkpoint.tensors.values()].map(({ name, dtype, shape, byteLength }) => [name, dtype, shape, byteLength])).toEqual([
    ['embedding', 'f16', [4, 3], 24],
    ['pieces', 'i32', [3], 12],
    ['head', 'f16', [4, 3], 24],
    ['scalar', 'f32', [], 4],
    ['ü'.repeat(40), 'bf16', [0, 2], 0],
  ])
  expect((await checkpoint.read('head')).data).toEqual(half)
  expect(await checkpoint.readElements('embedding', 5, 3)).toEqual({ dtype: 'f16', shape: [3], data: half.slice(5, 8) })
  expect((await checkpoint.read('pieces')).data).toEqual(Int32Array.of(-1, 2, 3))
  expect((await checkpoint.read('scalar')).data).toEqual(Float32Array.of(0.5))
  expect((await checkpoint.read('ü'.repeat(40))).data).toHaveLength(0)
  await expect(checkpoint.readElements('embedding', 5, 8)).rejects.toThrow(InvalidArgumentError)
  await expect(checkpoint.read('nothing')).rejects.toThrow(/nothing: the tensor is missing/)
})

test('the same entries give the same bytes; data is aligned', async () => {
  await writeTorchFile(file(), entries)
  const bytes = await readFile(file())
  await writeTorchFile(file(), entries)
  expect(Buffer.compare(await readFile(file()), bytes)).toBe(0)
  expect(bytes.indexOf(Buffer.from(half.buffer)) % 64).toBe(0)
  // One storage for the two names.
  expect(bytes.indexOf(Buffer.from(half.buffer), bytes.indexOf(Buffer.from(half.buffer)) + 1)).toBe(-1)
})

test.each<[what: string, entries: TorchEntry[]]>([
  ['too little data', [{ name: 'a', dtype: 'f16', shape: [4], data: new Uint16Array(3) }]],
  ['too much data', [{ name: 'a', dtype: 'f16', shape: [4], data: new Uint16Array(5) }]],
  ['a name twice', [entries[0], entries[0]]],
  ['a tensor that is the same as a later one', [{ name: 'a', sameAs: 'embedding' }, entries[0]]],
])('%s is refused, and nothing is left behind', async (_, wrong) => {
  const other = path.join(folder, 'wrong', 'x.bin')
  await writeTorchFile(file(), entries)
  await expect(writeTorchFile(file(), wrong)).rejects.toThrow(InvalidArgumentError)
  await expect(writeTorchFile(other, entries)).rejects.toThrow(/cannot be written/)
  expect(await readdir(folder)).toEqual([TORCH_CHECKPOINT_FILE])
  await using still = await openTorchFile(file())
  expect(still.value).toMatchObject({ kind: 'dict' })
})

test('an abort leaves nothing behind', async () => {
  const controller = new AbortController()
  const endless: TorchEntry = {
    name: 'a',
    dtype: 'f16',
    shape: [1e9],
    data: async function* () {
      yield half
      controller.abort(new Error('enough'))
      yield half
    },
  }
  const aborted = path.join(folder, 'aborted.bin')
  await expect(writeTorchFile(aborted, [endless], { signal: controller.signal })).rejects.toThrow('enough')
  expect((await readdir(folder)).filter((name) => name.includes('aborted'))).toEqual([])
})

test('entries of more than 4 GiB are said in ZIP64 fields', () => {
  const members = [
    { name: 'a/data/0', size: 5e9, begin: 0, crc: 0xdeadbeef },
    { name: 'a/data/1', size: 3, begin: 6e9, crc: 1 },
    { name: 'a/data/2', size: 2 ** 32 - 1, begin: 2 ** 33, crc: 1 },
    { name: 'a/data/3', size: 2 ** 32 - 2, begin: 2 ** 34, crc: 1 },
  ]
  const bytes = Buffer.concat(members.map(directoryHeader))
  const place = { entries: members.length, begin: 2 ** 40, end: 2 ** 40 + bytes.length }
  const found = parseDirectory(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), place, 'x')
  expect([...found.values()].map(({ name, size, begin }) => ({ name, size, begin }))).toEqual(
    members.map(({ crc: _, ...rest }) => rest),
  )
  for (const { name, size, begin } of members) expect((begin + localHeader(name, size, begin).length) % 64).toBe(0)
})
