import { FileFormatError } from '@dpllm/core'

/** One record of a dataset: named values, checked when they are read. */
export interface Row {
  /** The file that it is from, and its place there; for messages. */
  readonly file: string
  /** From 1. */
  readonly number: number
  readonly values: Readonly<Record<string, unknown>>
}

/** @throws FileFormatError if the row has no such text */
export function textOf(row: Row, field: string): string {
  const value = row.values[field]
  return typeof value === 'string' ? value : wrong(row, field, 'a text', value)
}

/** @throws FileFormatError if the row has no such list of texts */
export function textsOf(row: Row, field: string): readonly string[] {
  const value = row.values[field]
  const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string')
  return isTexts ? value : wrong(row, field, 'a list of texts', value)
}

/**
 * A whole number below `below`; datasets write labels as numbers or as their digits.
 * @throws FileFormatError if it is none
 */
export function indexOf(row: Row, field: string, below: number): number {
  const value = row.values[field]
  const index = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  const isIndex = typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < below
  return isIndex ? index : wrong(row, field, `a whole number from 0 to ${below - 1}`, value)
}

/** @throws FileFormatError always */
export function wrong(row: Row, field: string, wanted: string, found: unknown): never {
  const shown = found === undefined ? 'nothing' : (JSON.stringify(found) ?? typeof found).slice(0, 100)
  throw new FileFormatError(row.file, `expected ${wanted}, found ${shown}`, { item: `row ${row.number}, ${field}` })
}
