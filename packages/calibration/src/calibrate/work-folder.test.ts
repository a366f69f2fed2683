import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openWorkFolder } from './work-folder.js'

const temporary = () => mkdtemp(join(tmpdir(), 'dpllm-work-'))

test('a result is made once for the same model, name and settings, and anew for others', async () => {
  const path = await temporary()
  let made = 0
  const make = async () => ({ value: ++made + 0.1 })
  const work = openWorkFolder(path, 'model a')
  expect(await work.kept('phase', { seed: 1 }, make)).toEqual({ value: 1.1 })
  expect(await openWorkFolder(path, 'model a').kept('phase', { seed: 1 }, make)).toEqual({ value: 1.1 })
  expect(await work.kept('phase', { seed: 2 }, make)).toEqual({ value: 2.1 })
  expect(await work.kept('other', { seed: 1 }, make)).toEqual({ value: 3.1 })
  expect(await openWorkFolder(path, 'model b').kept('phase', { seed: 1 }, make)).toEqual({ value: 4.1 })
})

test('what is made is what a later run would find', async () => {
  const work = openWorkFolder(await temporary(), '')
  const settings = { seed: 1 }
  const make = async () => ({ kept: 1, dropped: undefined })
  expect(Object.keys(await work.kept('phase', settings, make))).toEqual(Object.keys(await work.kept('phase', settings, make)))
})

test('a damaged or foreign file counts as none; a phase that fails keeps nothing', async () => {
  const path = await temporary()
  const work = openWorkFolder(path, 'model')
  await expect(work.kept('phase', 1, () => Promise.reject(new Error('interrupted')))).rejects.toThrow('interrupted')
  expect(await readdir(path)).toEqual([])
  expect(await work.kept('phase', 1, async () => 1)).toBe(1)
  const [file] = await readdir(path)
  for (const content of ['{"fingerpr', '{"fingerprint":"0","result":7}', 'null']) {
    await writeFile(join(path, file), content)
    expect(await work.kept('phase', 1, async () => 2)).toBe(2)
  }
})
