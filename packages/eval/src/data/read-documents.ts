import { InvalidArgumentError } from '@dpllm/core'
import { readText } from '@dpllm/core/node'
import { holdsRows, readRows } from './read-rows.js'
import { textOf } from './row.js'

/** Largest text that is read; the usual ones have a few MB. */
const MAX_TEXT_BYTES = 2 ** 28

export interface DocumentOptions {
  /** The field of rows that holds the text. Default `text`. */
  readonly field?: string | undefined
  /** What stands between two documents; default two line ends, as WikiText-2 is joined. */
  readonly separator?: string | undefined
  /** Only the first so many documents (C4's protocol: 1100, joined with a space). */
  readonly documents?: number | undefined
  /** Only the first so many characters (UTF-16 units) of the whole (C4's protocol: 2 088 528). */
  readonly characters?: number | undefined
}

/**
 * One long text for perplexity: that of a text file as it is, or the documents of JSON lines, a JSON array or Parquet, joined.
 * @throws FileFormatError, UnsupportedError as `readRows`; InvalidArgumentError if `documents` is given for a text file
 */
export async function readDocuments(file: string, options: DocumentOptions = {}): Promise<string> {
  const { field = 'text', separator = '\n\n', documents, characters } = options
  if (!holdsRows(file)) {
    if (documents !== undefined)
      throw new InvalidArgumentError('documents', 'a file of JSON lines, JSON or Parquet: a text file is one document', file)
    return (await readText(file, { maxBytes: MAX_TEXT_BYTES })).slice(0, characters)
  }
  const rows = await readRows(file, documents)
  return rows
    .map((row) => textOf(row, field))
    .join(separator)
    .slice(0, characters)
}
