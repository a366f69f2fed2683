import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/small-files.js'
import { DpllmError } from '../errors.js'
import { replaceFolder } from './replace-folder.js'

async function folderWith(path: string, text: string): Promise<string> {
  await mkdir(path)
  await writeFile(join(path, 'text'), text)
  return path
}

test('a folder takes a free place', async () => {
  await using root = await temporaryFolder()
  const fresh = await folderWith(join(root.path, 'fresh'), 'new')
  await replaceFolder(fresh, join(root.path, 'target'), join(root.path, 'aside'))
  expect(await readdir(root.path)).toEqual(['target'])
})

test('a folder takes the place of another one, and of what an earlier try left aside', async () => {
  await using root = await temporaryFolder()
  const fresh = await folderWith(join(root.path, 'fresh'), 'new')
  const target = await folderWith(join(root.path, 'target'), 'old')
  const aside = await folderWith(join(root.path, 'aside'), 'older')
  await replaceFolder(fresh, target, aside)
  expect(await readdir(root.path)).toEqual(['target'])
  expect(await readFile(join(target, 'text'), 'utf8')).toBe('new')
})

test('without a place for it, what stands there is kept', async () => {
  await using root = await temporaryFolder()
  const fresh = await folderWith(join(root.path, 'fresh'), 'new')
  const target = await folderWith(join(root.path, 'target'), 'old')
  await expect(replaceFolder(fresh, target)).rejects.toThrow(/target: cannot be written: /)
  expect(await readFile(join(target, 'text'), 'utf8')).toBe('old')
})

test('what stood there is back when it fails', async () => {
  await using root = await temporaryFolder()
  const target = await folderWith(join(root.path, 'target'), 'old')
  const error = await replaceFolder(join(root.path, 'none'), target, join(root.path, 'aside')).catch((e) => e)
  expect(DpllmError.isInstance(error)).toBe(true)
  expect(error.message).toMatch(/target: cannot be written: there is no such file or folder/)
  expect(await readdir(root.path)).toEqual(['target'])
  expect(await readFile(join(target, 'text'), 'utf8')).toBe('old')
})
