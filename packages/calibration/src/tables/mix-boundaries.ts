import { DOCUMENT_SEPARATOR } from '../calibrate/windows.js'

/** Documents that follow each other in the same way. */
const RUN = 16

/**
 * Joins every other run of documents by blank lines in place of separators. Models read texts both ways: each begun anew,
 * and one after another as they stand. Tables that have seen only the first way do worse at the second (decision 8).
 */
export function mixBoundaries(text: string): string {
  const documents = text.split(DOCUMENT_SEPARATOR)
  return documents.reduce((mixed, document, i) => {
    const joined = Math.floor(i / RUN) % 2 === 1 && i % RUN > 0
    return joined ? `${mixed.trimEnd()}\n\n${document.trimStart()}` : `${mixed}${DOCUMENT_SEPARATOR}${document}`
  })
}
