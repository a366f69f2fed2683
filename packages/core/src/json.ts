import { FileFormatError } from './errors.js'

export interface JsonLimits {
  /** For messages. */
  readonly file: string
  /** Most objects and arrays inside each other. Default 64. */
  readonly maxDepth?: number
  /** Most objects, arrays, members and elements in all: each costs many times its characters. Default 8 million. */
  readonly maxItems?: number
}

const MAX_DEPTH = 64
/** A tokenizer.json with a vocabulary of 250 thousand that spells half a million merges as pairs has 2 million. */
const MAX_ITEMS = 8e6

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * `JSON.parse` for texts from outside: limits are checked before anything is built.
 * @throws FileFormatError if the text is not JSON or exceeds a limit
 */
export function parseJson(text: string, { file, maxDepth = MAX_DEPTH, maxItems = MAX_ITEMS }: JsonLimits): unknown {
  let depth = 0
  let items = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '"') i = endOfString(text, i)
    else if (c === '{' || c === '[') {
      items++
      if (++depth > maxDepth) throw new FileFormatError(file, `JSON is nested deeper than ${maxDepth} levels`)
    } else if (c === ':' || c === ',') items++
    else if (c === '}' || c === ']') depth--
    if (items > maxItems) throw new FileFormatError(file, `JSON has more than ${maxItems} objects, members and elements`)
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FileFormatError(file, `is not JSON: ${(cause as Error).message}`, { cause })
  }
}

/** The first key that an object of this valid JSON text holds twice (`JSON.parse` silently keeps the last). */
export function duplicateKey(text: string): string | undefined {
  // The keys seen in every open object; undefined for an open array.
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '"') {
      const end = endOfString(text, i)
      last = text.slice(i, end + 1)
      i = end
    } else if (c === '{') open.push(new Set())
    else if (c === '[') open.push(undefined)
    else if (c === '}' || c === ']') open.pop()
    else if (c === ':') {
      const keys = open.at(-1) as Set<string>
      const key = JSON.parse(last) as string
      if (keys.has(key)) return key
      keys.add(key)
    }
  }
  return undefined
}

/** A JSON object, as opposed to an array, null or a plain value. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Index of the quote that ends the string beginning at `start`; the text's length if none does. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === BACKSLASH) i++
    else if (c === QUOTE) return i
  }
  return text.length
}
