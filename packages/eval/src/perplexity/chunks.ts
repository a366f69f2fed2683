import { InvalidArgumentError } from '@dpllm/core'

/**
 * How a text is cut and what of it is scored:
 * - `llama.cpp`: chunks of c tokens, the rest dropped; if the text begins with the beginning token, every chunk's first
 *   token is replaced by it; the predictions at positions ⌊c/2⌋ … c − 2 are scored (llama-perplexity).
 * - `papers`: chunks of c tokens, the rest dropped, as they are; all c − 1 predictions are scored (Any-Precision LLM,
 *   App. A; DP-LLM, App. B.1).
 */
export type Protocol = 'llama.cpp' | 'papers'

/** Context that each protocol's published numbers are for. */
export const usualContext: Readonly<Record<Protocol, number>> = { 'llama.cpp': 512, papers: 2048 }

/** Fewest tokens of a chunk: with fewer, nothing is left to score. */
export const MIN_CONTEXT = 4

/** A piece of text that is evaluated by itself. */
export interface Chunk {
  /** u32 [c] */
  readonly tokens: Uint32Array
  /** Predictions at positions firstScored … c − 2 are scored; position i predicts token i + 1. */
  readonly firstScored: number
}

/**
 * Cuts tokens as the protocol says.
 * @param tokens u32, the whole text tokenized once, its beginning token (if the model has one) in front
 * @param context c
 * @param bosId the model's beginning token
 * @param limit most chunks, the first ones
 * @throws InvalidArgumentError if the text is shorter than one chunk
 */
export function cutIntoChunks(
  tokens: Uint32Array,
  protocol: Protocol,
  context: number,
  bosId: number | undefined,
  limit = Number.POSITIVE_INFINITY,
): Chunk[] {
  const count = Math.min(Math.floor(tokens.length / context), limit)
  if (count === 0) throw new InvalidArgumentError('text', `at least one chunk of ${context} tokens`, `${tokens.length} tokens`)
  const begin = protocol === 'llama.cpp' && tokens[0] === bosId ? bosId : undefined
  return Array.from({ length: count }, (_, i) => {
    const chunk = tokens.slice(i * context, (i + 1) * context)
    if (begin !== undefined) chunk[0] = begin
    return { tokens: chunk, firstScored: protocol === 'llama.cpp' ? Math.floor(context / 2) : 0 }
  })
}
