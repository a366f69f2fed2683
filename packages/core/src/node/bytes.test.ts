import { open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/small-files.js'
import { FileFormatError } from '../errors.js'
import { readBytes } from './bytes.js'

const length = 21 * 2 ** 20 + 5
const content = new Uint8Array(length).map((_, i) => Math.imul(i, 2654435761) >>> 24)

test('reads in pieces what it would read at once, into the buffer that is given', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'a')
  await writeFile(file, content)
  await using handle = await open(file)
  const given: ArrayBuffer[] = []
  const allocate = (bytes: number) => {
    given.push(new ArrayBuffer(bytes))
    return given[0]
  }
  const read = await readBytes(handle, 3, length - 3, { file, allocate })
  expect(given).toEqual([read])
  expect(Buffer.compare(new Uint8Array(read), content.subarray(3))).toBe(0)
  expect((await readBytes(handle, 9, 0, { file })).byteLength).toBe(0)
})

test.each([0, 1, 2 ** 22, 2 ** 23 + 7, length - 1])('a file that ends after %d bytes', async (end) => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'a')
  await writeFile(file, content)
  await using handle = await open(file)
  await truncate(file, end)
  const read = readBytes(handle, 0, length, { file, item: 'x' })
  await expect(read).rejects.toThrow(`${file}: x: is truncated: expected ${length} bytes at 0, found ${end}`)
})

test('no memory, and an abort between pieces, are errors', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'a')
  await writeFile(file, content)
  await using handle = await open(file)
  const allocate = () => {
    throw new RangeError('no memory')
  }
  await expect(readBytes(handle, 0, length, { file, allocate })).rejects.toThrow(FileFormatError)
  const abort = new AbortController()
  const read = readBytes(handle, 0, length, { file, signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(read).rejects.toThrow('enough')
})
