import path from 'node:path'
import { UnsupportedError } from '@dpllm/core'
import { readJsonArray, readJsonLines } from './json-rows.js'
import { readParquet } from './parquet-rows.js'
import type { Row } from './row.js'

const readers: Readonly<Record<string, (file: string, limit?: number) => Promise<Row[]>>> = {
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
  '.json': readJsonArray,
  '.parquet': readParquet,
}

/** Whether a file's name says that it holds rows and not a text. */
export function holdsRows(file: string): boolean {
  return path.extname(file).toLowerCase() in readers
}

/**
 * The rows of a dataset's file: JSON lines, a JSON array or Parquet, by the end of its name.
 * @param limit most rows, the first ones
 * @throws UnsupportedError for another kind of file; FileFormatError for a damaged one
 */
export async function readRows(file: string, limit?: number): Promise<Row[]> {
  const reader = readers[path.extname(file).toLowerCase()]
  if (!reader) throw new UnsupportedError(`${file}: expected a name that ends in ${Object.keys(readers).join(', ')}`)
  return await reader(file, limit)
}
