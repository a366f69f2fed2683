import type { Chunk } from './chunks.js'

/** Default limit on the logits of one step; a vocabulary of 128 thousand leaves 130 tokens a step. */
const LOGITS_BYTES = 2 ** 26
/** Most tokens of a step by default; more does not run faster. */
const MAX_BATCH = 512

/** A step over some tokens of a text, and which of their predictions are scored. */
export interface ScoringStep {
  /** u32 [T] */
  readonly tokens: Uint32Array
  /** Position of the first. */
  readonly position: number
  /** u32 [R]: tokens whose predictions are scored. */
  readonly rows: Uint32Array
  /** u32 [R]: what they should predict. */
  readonly targets: Uint32Array
  readonly outputs: readonly string[]
}

/**
 * The steps of a chunk. Those before the first scored position only fill the cache, so nothing is wanted of them.
 * @param start positions before it are in the cache already
 * @param outputs wanted of scored predictions
 */
export function* scoringSteps(
  { tokens, firstScored }: Chunk,
  batchSize: number,
  { start = 0, outputs = ['loss'] }: { readonly start?: number; readonly outputs?: readonly string[] } = {},
): Generator<ScoringStep, void, undefined> {
  // The last token predicts nothing that is scored.
  const end = tokens.length - 1
  for (let position = start; position < end; position += batchSize) {
    const batch = tokens.subarray(position, Math.min(position + batchSize, end))
    const first = Math.max(firstScored - position, 0)
    const rows = Uint32Array.from({ length: Math.max(batch.length - first, 0) }, (_, i) => first + i)
    const targets = rows.map((row) => tokens[position + row + 1])
    yield { tokens: batch, position, rows, targets, outputs: rows.length === 0 ? [] : outputs }
  }
}

/** The columns `rows` of u8 [n, count]: the bits that these tokens of a step read. */
export function bitsOfRows(bits: Uint8Array, count: number, rows: Uint32Array): Uint8Array {
  const n = bits.length / count
  const out = new Uint8Array(n * rows.length)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < rows.length; j++) out[i * rows.length + j] = bits[i * count + rows[j]]
  }
  return out
}

/** Tokens of a step whose logits stay within bounds. */
export function usualBatch(vocabularySize: number): number {
  return Math.max(1, Math.min(MAX_BATCH, Math.floor(LOGITS_BYTES / (4 * vocabularySize))))
}
