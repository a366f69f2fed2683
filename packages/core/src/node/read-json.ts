import { FileFormatError } from '../errors.js'
import { parseJson } from '../json.js'
import { readBytes } from './bytes.js'
import { openRegularFile } from './regular-file.js'

/** Largest JSON file that is read; the largest tokenizer.json in use have some 30 MB. */
export const MAX_JSON_BYTES = 2 ** 27

/**
 * Reads a JSON file from outside.
 * @returns what it holds: check before use
 * @throws FileFormatError if it is missing, too large, not UTF-8, not JSON, or nested too deep
 */
export async function readJson(path: string, { maxBytes = MAX_JSON_BYTES }: { maxBytes?: number } = {}): Promise<unknown> {
  return parseJson(await readText(path, { maxBytes }), { file: path })
}

/**
 * Reads a UTF-8 text file from outside; a byte order mark is dropped.
 * @throws FileFormatError if it is missing, larger than `maxBytes`, or not UTF-8
 */
export async function readText(path: string, { maxBytes = MAX_JSON_BYTES }: { maxBytes?: number } = {}): Promise<string> {
  const bytes = await readFileLimited(path, maxBytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new FileFormatError(path, 'is not UTF-8 text', { cause })
  }
}

async function readFileLimited(path: string, maxBytes: number): Promise<ArrayBuffer> {
  await using file = await openRegularFile(path)
  if (file.size > maxBytes) throw new FileFormatError(path, `has ${file.size} bytes, at most ${maxBytes} are read`)
  return await readBytes(file.handle, 0, file.size, { file: path })
}
