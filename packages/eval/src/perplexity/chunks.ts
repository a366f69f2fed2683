import { InvalidArgumentError } from '@dpllm/core'

/**
 * How a text is cut and what of it is scored:
 * - `llama.cpp`: chunks of c tokens, the rest dropped; if the text begins with the beginning token, every chunk's first
 *   token is replaced by it; the predictions at positions ⌊c/2⌋ … c − 2 are scored (llama-perplexity).
 * - `papers`: chunks of c tokens, the rest dropped, as they are; all c − 1 predictions are scored (Any-Precision LLM,
 *   App. A; DP-LLM, App. B.1).
 * - `strided`: windows of c tokens, each beginning `stride` tokens after the one before, the last one shorter; of each the
 *   predictions that no window before has made are scored, with c − stride tokens or more as context (Hugging Face's guide
 *   to perplexity). Nothing of the text is dropped.
 */
export type Protocol = 'llama.cpp' | 'papers' | 'strided'

/** All protocols. */
export const protocols = ['llama.cpp', 'papers', 'strided'] as const satisfies readonly Protocol[]

/** Context that each protocol's published numbers are for. */
export const usualContext: Readonly<Record<Protocol, number>> = { 'llama.cpp': 512, papers: 2048, strided: 1024 }

/** Fewest tokens of a chunk: with fewer, nothing is left to score. */
export const MIN_CONTEXT = 4

/** A piece of text that is evaluated by itself. */
export interface Chunk {
  /** u32 [c] */
  readonly tokens: Uint32Array
  /** Predictions at positions firstScored … c − 2 are scored; position i predicts token i + 1. */
  readonly firstScored: number
}

export interface ChunkOptions {
  /** Most chunks, the first ones. */
  readonly limit?: number | undefined
  /** Of strided windows; default half of the context. */
  readonly stride?: number | undefined
}

/**
 * Cuts tokens as the protocol says.
 * @param tokens u32, the whole text tokenized once, its beginning token (if the model has one) in front
 * @param context c
 * @param bosId the model's beginning token
 * @throws InvalidArgumentError if the text is shorter than one chunk, or a stride is given that is none
 */
export function cutIntoChunks(
  tokens: Uint32Array,
  protocol: Protocol,
  context: number,
  bosId: number | undefined,
  { limit = Number.POSITIVE_INFINITY, stride }: ChunkOptions = {},
): Chunk[] {
  if (protocol === 'strided') return cutIntoWindows(tokens, context, stride, limit)
  if (stride !== undefined) throw new InvalidArgumentError('stride', `none, as the protocol is ${protocol}`, stride)
  const count = Math.min(Math.floor(tokens.length / context), limit)
  if (count === 0) throw new InvalidArgumentError('text', `at least one chunk of ${context} tokens`, `${tokens.length} tokens`)
  const begin = protocol === 'llama.cpp' && tokens[0] === bosId ? bosId : undefined
  return Array.from({ length: count }, (_, i) => {
    const chunk = tokens.slice(i * context, (i + 1) * context)
    if (begin !== undefined) chunk[0] = begin
    return { tokens: chunk, firstScored: protocol === 'llama.cpp' ? Math.floor(context / 2) : 0 }
  })
}

function cutIntoWindows(tokens: Uint32Array, context: number, stride = Math.floor(context / 2), limit: number): Chunk[] {
  if (!Number.isInteger(stride) || stride < 1 || stride > context)
    throw new InvalidArgumentError('stride', `a whole number from 1 to ${context}, the context`, stride)
  if (tokens.length < MIN_CONTEXT)
    throw new InvalidArgumentError('text', `at least ${MIN_CONTEXT} tokens`, `${tokens.length} tokens`)
  const windows: Chunk[] = []
  for (let begin = 0, scoredTo = 1; scoredTo < tokens.length && windows.length < limit; begin += stride) {
    const end = Math.min(begin + context, tokens.length)
    // Position i predicts token i + 1; the first token of a window is predicted by no token of it.
    windows.push({ tokens: tokens.slice(begin, end), firstScored: Math.max(scoredTo - 1 - begin, 0) })
    scoredTo = end
  }
  return windows
}
