import { Worker } from 'node:worker_threads'
import { FileFormatError } from '@dpllm/core'
import { openRegularFile, readBytes } from '@dpllm/core/node'
import type { Row } from './row.js'

/** Largest file that is read; test sets have a few MB, a shard of C4 some hundred. */
const MAX_BYTES = 2 ** 30
/** Most rows that are taken from one file: each costs an object. */
const MAX_ROWS = 2e6
/** Most bytes that a page may become: writers make pages of about 1 MiB. */
const MAX_PAGE_BYTES = 2 ** 28
/** Heap of the worker, in MiB. */
const MAX_HEAP = 4096
/** Decoding takes some 10 ms for a MiB; a damaged file may never end. */
const LEAST_MS = 5_000
const MS_PER_MIB = 1000

/**
 * Runs in a worker, which can be ended: some damaged files keep the library in a loop for ever. 64-bit integers become
 * numbers where these are exact.
 */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads')
const { gunzipSync } = require('node:zlib')
const { library, file, limit, maxRows, maxPage } = workerData
const gunzip = (bytes, length) => {
  if (length > maxPage) throw new RangeError('a page of ' + length + ' bytes')
  return gunzipSync(bytes, { maxOutputLength: length })
}
const plain = (value) => {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
import(library).then(async ({ parquetMetadataAsync, parquetReadObjects }) => {
  const metadata = await parquetMetadataAsync(file)
  const rowEnd = Math.min(Number(metadata.num_rows), limit)
  if (!(rowEnd <= maxRows)) throw new RangeError(rowEnd + ' rows, at most ' + maxRows + ' are read')
  return plain(await parquetReadObjects({ file, metadata, rowStart: 0, rowEnd, compressors: { GZIP: gunzip } }))
}).then((rows) => parentPort.postMessage({ rows }), (error) => parentPort.postMessage({ message: String(error.message) }))
`

/**
 * The rows of a Parquet file (uncompressed, Snappy or gzip), as Hugging Face's datasets publish them.
 * @param limit most rows, the first ones
 * @throws FileFormatError if it is damaged or compressed otherwise
 */
export async function readParquet(path: string, limit = Number.POSITIVE_INFINITY): Promise<Row[]> {
  await using opened = await openRegularFile(path)
  const { handle, size } = opened
  if (size > MAX_BYTES) throw new FileFormatError(path, `has ${size} bytes, at most ${MAX_BYTES} are read`)
  const file = await readBytes(handle, 0, size, { file: path })
  const found = await decode(file, limit, LEAST_MS + (MS_PER_MIB * size) / 2 ** 20)
  if ('message' in found) throw new FileFormatError(path, `is not a Parquet file that can be read: ${found.message}`)
  return found.rows.map((values, i) => ({ file: path, number: i + 1, values }))
}

type Decoded = { readonly rows: readonly Row['values'][] } | { readonly message: string }

function decode(file: ArrayBuffer, limit: number, milliseconds: number): Promise<Decoded> {
  const library = import.meta.resolve('hyparquet')
  const worker = new Worker(WORKER, {
    eval: true,
    workerData: { library, file, limit, maxRows: MAX_ROWS, maxPage: MAX_PAGE_BYTES },
    transferList: [file],
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP },
    stdout: true,
    stderr: true,
  })
  return new Promise<Decoded>((resolve) => {
    const timer = setTimeout(() => end({ message: `it took longer than ${milliseconds / 1000} s` }), milliseconds)
    const end = (decoded: Decoded) => {
      clearTimeout(timer)
      void worker.terminate().then(() => resolve(decoded))
    }
    worker.once('message', end)
    worker.once('error', (error) => end({ message: error.message }))
  })
}
