import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/small-files.js'
import { DpllmError } from '../errors.js'
import { writeFileAtomic, writeWhole } from './temporary-file.js'

test('writes text and bytes, over what was there', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.json')
  await writeFileAtomic(path, 'longer text ü')
  expect(await readFile(path, 'utf8')).toBe('longer text ü')
  await writeFileAtomic(path, Uint8Array.of(1, 2))
  expect([...(await readFile(path))]).toEqual([1, 2])
  expect(await readdir(folder.path)).toEqual(['a.json'])
})

test('the file is not there before it is whole', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a')
  await writeWhole(path, async (handle) => {
    await handle.write('half')
    expect(await readdir(folder.path)).toEqual([expect.stringMatching(/^\.a\.\d+\.\d+\.tmp$/)])
  })
  expect(await readdir(folder.path)).toEqual(['a'])
})

test('writes at the same time do not mix', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a')
  const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(1000 * (i + 1)))
  await Promise.all(texts.map((text) => writeFileAtomic(path, text)))
  expect(texts).toContain(await readFile(path, 'utf8'))
  expect(await readdir(folder.path)).toEqual(['a'])
})

test('a folder in the way is a typed error, and stays', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a')
  await mkdir(path)
  const error = await writeFileAtomic(path, 'x').catch((e) => e)
  expect(DpllmError.isInstance(error) && error.code).toBe('ERR_DPLLM_WRITE')
  expect(await readdir(folder.path)).toEqual(['a'])
})

test('what a killed process left is removed, and nothing else', async () => {
  await using folder = await temporaryFolder()
  // A process that has just ended: its id is not used again so soon.
  const gone = spawnSync(process.execPath, ['-e', '']).pid
  const stale = [`.a.${gone}.0.tmp`, `.a.${process.pid}.999999.tmp`]
  const kept = [`.a.${process.ppid}.0.tmp`, `.b.${gone}.0.tmp`, `.a.${gone}.tmp`, '.a.x.0.tmp', 'a.tmp']
  for (const name of [...stale, ...kept]) await writeFile(join(folder.path, name), '')
  await writeFileAtomic(join(folder.path, 'a'), 'x')
  expect((await readdir(folder.path)).sort()).toEqual([...kept, 'a'].sort())
})
