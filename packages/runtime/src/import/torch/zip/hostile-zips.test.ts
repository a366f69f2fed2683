import { FileFormatError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { int, storage, tensor } from '../../../../test/torch-save/python-values.js'
import { useFiles } from '../../../../test/torch-save/temporary-file.js'
import { dataPkl, torchSave } from '../../../../test/torch-save/torch-save.js'
import { type Entry, fields, zip } from '../../../../test/torch-save/zip.js'
import { openTorchFile } from '../torch-file.js'

const write = useFiles()

async function refused(bytes: Uint8Array): Promise<string> {
  const error = await openTorchFile(await write(bytes, 'hostile.pt')).then(
    () => expect.fail('it was read'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(FileFormatError)
  return (error as Error).message
}

const some = () => torchSave(tensor(storage('f32', Float32Array.of(1, 2)), [2]))
const entries = (change: (all: Entry[]) => Entry[]) =>
  torchSave(tensor(storage('f32', Float32Array.of(1, 2)), [2]), { entries: change })
const patched = (at: number, ...bytes: number[]) => {
  const file = Buffer.from(some())
  bytes.forEach((byte, i) => {
    file[at < 0 ? file.length + at + i : at + i] = byte
  })
  return file
}

test.each<[what: string, bytes: () => Uint8Array, message: RegExp]>([
  ['is empty', () => new Uint8Array(0), /expected a ZIP file/],
  ['is a pickle', () => dataPkl(int(1)), /expected a ZIP file/],
  ['is cut off', () => some().subarray(0, -1), /expected a ZIP file/],
  ['has bytes after the end', () => Buffer.concat([some(), Buffer.alloc(1)]), /expected a ZIP file/],
  ['has a comment', () => patched(-2, 1), /expected a ZIP file/],
  ['is compressed', () => entries((all) => all.map((e) => ({ ...e, method: 8 }))), /is compressed \(method 8\)/],
  ['is encrypted', () => entries((all) => all.map((e) => ({ ...e, flags: 0x0809 }))), /is encrypted/],
  ['has an entry twice', () => entries((all) => [...all, all[0]]), /is there twice/],
  ['has two pickles', () => entries((all) => [...all, { ...all[0], name: 'b/data.pkl' }]), /one entry NAME\/data\.pkl, found 2/],
  ['has no pickle', () => entries((all) => all.slice(1)), /found 0/],
  [
    'has its pickle in no folder',
    () => entries((all) => all.map((e) => ({ ...e, name: e.name.replace('archive/', '') }))),
    /found 0/,
  ],
  [
    'lacks a storage',
    () => entries((all) => all.filter((e) => !e.name.endsWith('/0'))),
    /archive\/data\/0: a tensor needs this entry/,
  ],
  [
    'has a storage of another size',
    () => entries((all) => all.map((e) => (e.name.endsWith('/0') ? { ...e, data: new Uint8Array(7) } : e))),
    /found 7 bytes/,
  ],
  [
    'has a name that is not UTF-8',
    () => Buffer.from(Buffer.from(some()).toString('latin1').replaceAll('byteorder', 'byteord\xffr'), 'latin1'),
    /not UTF-8/,
  ],
  ['is a spanned ZIP without entries', () => zip([]), /found 0/],
])('a file that %s is refused', async (_, bytes, message) => {
  expect(await refused(bytes())).toMatch(message)
})

/** A ZIP whose directory says what it likes. */
function directory(...lies: { name?: string; size?: number; stored?: number; begin?: number }[]): Uint8Array {
  const data = Buffer.alloc(200)
  const parts = lies.map(({ name = 'a/data.pkl', size = 0, stored = size, begin = 0 }) =>
    Buffer.concat([
      fields([4, 0x02014b50], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, 0], [4, stored], [4, size]),
      fields([2, name.length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, begin]),
      Buffer.from(name),
    ]),
  )
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, parts.length], [2, parts.length], [4, size], [4, data.length], [2, 0])
  return Buffer.concat([data, ...parts, end])
}

test('entries that lie over each other, beyond the file, or nowhere are refused', async () => {
  expect(await refused(directory({ size: 171 }))).toMatch(/has 171 bytes at 0, where 200 are free/)
  expect(await refused(directory({ size: 10 }, { name: 'a/b', begin: 20 }))).toMatch(/has 10 bytes at 0, where 20 are free/)
  expect(await refused(directory({ begin: 0 }, { name: 'a/b', begin: 0 }))).toMatch(/where 0 are free/)
  expect(await refused(directory({ begin: 2 ** 31 }))).toMatch(/where -\d+ are free/)
  expect(await refused(directory({ size: 2 ** 32 - 1 }))).toMatch(/ZIP64 field is missing/)
  expect(await refused(directory({ size: 1, stored: 2 }))).toMatch(/has 1 bytes, of which 2 are stored/)
  expect(await refused(directory({ size: 5 }))).toMatch(/there is no such entry at byte 0/)
  expect(await refused(directory({ name: 'x'.repeat(2000) }))).toMatch(/a name has 2000 bytes/)
})

test('records at the end that lie are refused', async () => {
  const end = (entries: number, size: number, begin: number) =>
    Buffer.concat([
      Buffer.alloc(100),
      fields([4, 0x06054b50], [2, 0], [2, 0], [2, entries], [2, entries], [4, size], [4, begin], [2, 0]),
    ])
  expect(await refused(end(1, 200, 0))).toMatch(/its directory ends at 200/)
  expect(await refused(end(1, 0, 100))).toMatch(/has 0 entries where 1 are announced/)
  expect(await refused(end(0, 50, 0))).toMatch(/50 bytes too many/)
  expect(await refused(end(0xffff, 0, 0))).toMatch(/ZIP64 record is missing/)
  const zip64 = (entries: bigint, size: bigint, begin: bigint, at = 100n) => {
    const record = Buffer.alloc(56)
    record.writeUInt32LE(0x06064b50)
    record.writeBigUInt64LE(entries, 32)
    record.writeBigUInt64LE(size, 40)
    record.writeBigUInt64LE(begin, 48)
    const locator = Buffer.alloc(20)
    locator.writeUInt32LE(0x07064b50)
    locator.writeBigUInt64LE(at, 8)
    return Buffer.concat([Buffer.alloc(100), record, locator, end(0, 0, 0).subarray(100)])
  }
  expect(await refused(zip64(2n ** 60n, 0n, 0n))).toMatch(/speaks of byte 1152921504606846976/)
  expect(await refused(zip64(2n ** 40n, 0n, 0n))).toMatch(/has 1099511627776 entries, at most/)
  expect(await refused(zip64(1n, 2n ** 40n, 0n))).toMatch(/directory of 1099511627776 bytes, at most/)
  expect(await refused(zip64(1n, 50n, 51n))).toMatch(/its directory ends at 101/)
  expect(await refused(zip64(0n, 0n, 100n, 2n ** 50n))).toMatch(/ZIP64 record would be at/)
  expect(await refused(zip64(0n, 0n, 100n, 99n))).toMatch(/no ZIP64 record where/)
})
