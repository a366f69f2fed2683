import { FileFormatError, isJsonObject } from '@dpllm/core'
import { readJson } from '@dpllm/core/node'

/** Largest accepted side file: the largest tokenizer_config.json in use have under 1 MB. */
const MAX_BYTES = 2 ** 24

/**
 * Reads a JSON object that a model folder may lack.
 * @returns undefined if there is no such file
 * @throws FileFormatError if it is there but cannot be read or is not a JSON object
 */
export async function readOptionalJson(file: string): Promise<Record<string, unknown> | undefined> {
  const json = await orMissing(readJson(file, { maxBytes: MAX_BYTES }))
  if (json === undefined) return undefined
  if (!isJsonObject(json)) throw new FileFormatError(file, 'expected a JSON object')
  return json
}

/** What a read gives; undefined if it failed because there is no such file. */
export async function orMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    const cause = error instanceof FileFormatError ? error.cause : undefined
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw error
  }
}
