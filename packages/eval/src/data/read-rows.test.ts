import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { FileFormatError } from '@dpllm/core'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readDocuments } from './read-documents.js'
import { readRows } from './read-rows.js'
import { indexOf, textOf, textsOf } from './row.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dpllm-rows-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, data: string | Uint8Array): Promise<string> {
  const file = path.join(folder, name)
  await writeFile(file, data)
  return file
}

const table = {
  columnData: [
    { name: 'text', data: ['one', 'two', 'three'], type: 'STRING' as const },
    { name: 'label', data: [1n, 0n, 2n], type: 'INT64' as const },
    {
      name: 'choices',
      data: [
        { text: ['a', 'b'], label: ['A', 'B'] },
        { text: [], label: [] },
        { text: ['c'], label: ['C'] },
      ],
    },
  ],
}
const wanted = [
  { text: 'one', label: 1, choices: { text: ['a', 'b'], label: ['A', 'B'] } },
  { text: 'two', label: 0, choices: { text: [], label: [] } },
  { text: 'three', label: 2, choices: { text: ['c'], label: ['C'] } },
]

test('JSON lines, a JSON array, examples of an object, and Parquet give the same rows', async () => {
  const lines = await write('a.jsonl', `${wanted.map((row) => JSON.stringify(row)).join('\n\n')}\n`)
  const array = await write('a.json', JSON.stringify(wanted))
  const examples = await write('b.json', JSON.stringify({ canary: '', examples: wanted }))
  const snappy = await write('a.parquet', new Uint8Array(parquetWriteBuffer(table)))
  const gzip = (bytes: Uint8Array) => gzipSync(bytes)
  const zipped = await write(
    'b.parquet',
    new Uint8Array(parquetWriteBuffer({ ...table, codec: 'GZIP', compressors: { GZIP: gzip } })),
  )
  for (const file of [lines, array, examples, snappy, zipped]) {
    const rows = await readRows(file)
    expect(
      rows.map(({ values }) => values),
      file,
    ).toEqual(wanted)
    expect((await readRows(file, 2)).map(({ values }) => values)).toEqual(wanted.slice(0, 2))
  }
  expect((await readRows(lines))[1]).toMatchObject({ file: lines, number: 3 })
})

test.each<[string, string | Uint8Array, RegExp]>([
  ['bad.jsonl', '{"text": "a"}\n[1]\n', /line 2: expected a JSON object/],
  ['bad2.jsonl', '{"text": "a"}\n{"text": \n', /line 2: is not JSON/],
  ['bad.json', '{"rows": 3}', /expected a JSON array/],
  ['bad2.json', '[3]', /element 1: expected a JSON object/],
  ['bad.parquet', 'PAR1 no PAR1', /not a Parquet file/],
  ['short.parquet', '', /not a Parquet file/],
  ['text.csv', 'a,b', /expected a name that ends in \.jsonl/],
])('%s is refused', async (name, data, message) => {
  await expect(readRows(await write(name, data))).rejects.toThrow(message)
})

test('a Parquet file cut off or changed anywhere is an error of the file or other rows, never more', async () => {
  const bytes = new Uint8Array(parquetWriteBuffer(table))
  const damaged = [7, 20, 67, ...Array.from({ length: 12 }, (_, i) => i * 41 + 3)].flatMap((at) => {
    const changed = bytes.slice()
    changed[at] ^= 0xff
    return [bytes.slice(0, at), changed]
  })
  // Some keep the library in a loop: all at once, so that their limits of time pass together.
  const results = damaged.map(async (data, i) => readRows(await write(`damaged-${i}.parquet`, data)).catch((e: unknown) => e))
  for (const found of await Promise.all(results)) if (!Array.isArray(found)) expect(found).toBeInstanceOf(FileFormatError)
}, 60_000)

test('fields are checked where they are read', () => {
  const row = { file: 'f', number: 7, values: { text: 'a', list: ['a', 1], label: '3' } }
  expect(textOf(row, 'text')).toBe('a')
  expect(indexOf(row, 'label', 4)).toBe(3)
  expect(() => indexOf(row, 'label', 3)).toThrow(/f: row 7, label: expected a whole number from 0 to 2, found "3"/)
  expect(() => textsOf(row, 'list')).toThrow(/row 7, list: expected a list of texts/)
  expect(() => textOf(row, 'none')).toThrow(/found nothing/)
})

test('documents of rows are joined, a text is taken as it is', async () => {
  const lines = await write('d.jsonl', wanted.map((row) => JSON.stringify(row)).join('\n'))
  expect(await readDocuments(lines)).toBe('one\n\ntwo\n\nthree')
  expect(await readDocuments(lines, { separator: ' ', documents: 2 })).toBe('one two')
  expect(await readDocuments(lines, { separator: ' ', characters: 5 })).toBe('one t')
  const named = await write('e.jsonl', '{"page": "a b"}')
  expect(await readDocuments(named, { field: 'page' })).toBe('a b')
  await expect(readDocuments(named)).rejects.toThrow(/row 1, text/)
  const text = await write('d.txt', 'plain')
  expect(await readDocuments(text, { characters: 3 })).toBe('pla')
  await expect(readDocuments(text, { documents: 1 })).rejects.toThrow(/documents/)
})
