import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/small-files.js'
import { FileFormatError } from '../errors.js'
import { readJson, readText } from './read-json.js'

test.each<[text: string, value: unknown]>([
  ['{"a": [1, "\\u00fc", null]}', { a: [1, 'ü', null] }],
  ['\ufeff7', 7],
  [`${'['.repeat(64)}${']'.repeat(64)}`, JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`)],
  ['{"text": "[[[{{{\\"[[["}', { text: '[[[{{{"[[[' }],
])('reads %s', async (text, value) => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.json')
  await writeFile(path, text)
  expect(await readJson(path)).toEqual(value)
})

test.each<[what: string, content: string | Uint8Array, message: RegExp]>([
  ['an empty file', '', /is not JSON/],
  ['half a file', '{"a": [1, 2', /is not JSON/],
  ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /is not UTF-8/],
  ['deep nesting', '['.repeat(100_000), /nested deeper than 64/],
  ['many objects', `[${'{},'.repeat(4e6)}{}]`, /more than 8000000/],
  ['a file above the limit', ' '.repeat(2 ** 24), /has 16777216 bytes, at most 16000000/],
])('refuses %s', async (_, content, message) => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'a.json')
  await writeFile(path, content)
  const error = await readJson(path, { maxBytes: 16e6 }).catch((e: FileFormatError) => e)
  expect(error).toBeInstanceOf(FileFormatError)
  expect(error).toMatchObject({ file: path, message: expect.stringMatching(message) })
})

test('a missing file is named', async () => {
  await using folder = await temporaryFolder()
  await expect(readText(join(folder.path, 'none.json'))).rejects.toThrow(/none\.json: cannot be read: there is no such file/)
})
