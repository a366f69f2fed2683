import { FileFormatError, isJsonObject, parseJson } from '@dpllm/core'
import { readText } from '@dpllm/core/node'
import type { Row } from './row.js'

/** Largest file of JSON that is read; the largest validation sets in use have some 100 MB. */
const MAX_BYTES = 2 ** 29

/**
 * The objects of JSON lines; empty lines are skipped.
 * @param limit most rows, the first ones
 * @throws FileFormatError naming the line
 */
export async function readJsonLines(file: string, limit = Number.POSITIVE_INFINITY): Promise<Row[]> {
  const rows: Row[] = []
  for (const [i, line] of (await readText(file, { maxBytes: MAX_BYTES })).split('\n').entries()) {
    if (rows.length >= limit) break
    if (line.trim() === '') continue
    const values = parseJson(line, { file: `${file}, line ${i + 1}` })
    if (!isJsonObject(values)) throw new FileFormatError(file, 'expected a JSON object on each line', { item: `line ${i + 1}` })
    rows.push({ file, number: i + 1, values })
  }
  return rows
}

/**
 * The objects of a JSON array, or of the `examples` or `data` of an object (BIG-bench's form).
 * @throws FileFormatError if it is neither
 */
export async function readJsonArray(file: string, limit = Number.POSITIVE_INFINITY): Promise<Row[]> {
  const parsed = parseJson(await readText(file, { maxBytes: MAX_BYTES }), { file })
  const list = isJsonObject(parsed) ? (parsed.examples ?? parsed.data) : parsed
  if (!Array.isArray(list)) throw new FileFormatError(file, 'expected a JSON array, or an object with an array `examples`')
  return list.slice(0, limit).map((values: unknown, i) => {
    if (!isJsonObject(values)) throw new FileFormatError(file, 'expected a JSON object', { item: `element ${i + 1}` })
    return { file, number: i + 1, values }
  })
}
