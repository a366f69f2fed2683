import { createMinHeap } from '../min-heap.js'
import { MAX_VOCABULARY } from './tokenizer-json.js'

/** Words up to this many UTF-16 units are remembered: real words repeat, longer runs do not. */
const MAX_CACHED_LENGTH = 64
/** Most words remembered; about 10 MB. The cache starts anew when it is full. */
const MAX_CACHED_WORDS = 2 ** 16

/** Instead of an id: a character that is in no vocabulary, and a place whose symbol was merged into the one before. */
const UNKNOWN = -1
const GONE = -2

/**
 * Byte-pair encoding (Sennrich et al. 2016): the characters of a word, merged pair by pair, the earliest merge of the
 * list first and the leftmost place first, until none applies. O(n log n) also for one word of a million characters,
 * which is what tokenizers without a pre-tokenizer (Llama 2) make of a text.
 * @param vocabulary ids of the tokens; a character that is not in it stays alone
 * @param merges [left, right] by falling priority; both and their concatenation are in the vocabulary
 * @returns a function from a word to its tokens, whose concatenation is the word
 */
export function createBytePairEncoder(
  vocabulary: ReadonlyMap<string, number>,
  merges: readonly (readonly [string, string])[],
): (word: string) => string[] {
  const table = mergeTable(vocabulary, merges)
  const cache = new Map<string, string[]>()
  return (word) => {
    const cached = cache.get(word)
    if (cached !== undefined) return cached
    const tokens = merge(word, vocabulary, table)
    if (word.length <= MAX_CACHED_LENGTH) {
      if (cache.size >= MAX_CACHED_WORDS) cache.clear()
      cache.set(word, tokens)
    }
    return tokens
  }
}

interface MergeTable {
  /** Rank of the merge of two tokens, -1 if there is none. */
  rank(left: number, right: number): number
  /** Id that the merge of a rank gives. */
  readonly merged: Int32Array
}

function mergeTable(vocabulary: ReadonlyMap<string, number>, merges: readonly (readonly [string, string])[]): MergeTable {
  const merged = new Int32Array(merges.length)
  const ranks = new Map<number, number>()
  const pair = (left: number, right: number) => left * MAX_VOCABULARY + right
  merges.forEach(([left, right], rank) => {
    merged[rank] = vocabulary.get(left + right) as number
    ranks.set(pair(vocabulary.get(left) as number, vocabulary.get(right) as number), rank)
  })
  return { merged, rank: (left, right) => (left < 0 || right < 0 ? -1 : (ranks.get(pair(left, right)) ?? -1)) }
}

function merge(word: string, vocabulary: ReadonlyMap<string, number>, { rank, merged }: MergeTable): string[] {
  // Symbols are a doubly linked list over the index of their first character.
  const starts = new Int32Array(word.length + 1)
  const ids = new Int32Array(word.length)
  const next = new Int32Array(word.length)
  const previous = new Int32Array(word.length)
  let n = 0
  for (const character of word) {
    starts[n + 1] = starts[n] + character.length
    ids[n] = vocabulary.get(character) ?? UNKNOWN
    previous[n] = n - 1
    next[n] = n + 1
    n++
  }

  // One number orders by rank, then by place. A pair that has changed since is known by its rank being another.
  const queue = createMinHeap(2 * n)
  const offer = (i: number) => {
    if (i < 0 || next[i] >= n) return
    const r = rank(ids[i], ids[next[i]])
    if (r >= 0) queue.push(r * n + i)
  }
  for (let i = 0; i + 1 < n; i++) offer(i)
  while (queue.size > 0) {
    const key = queue.pop()
    const i = key % n
    const r = (key - i) / n
    const j = next[i]
    if (ids[i] === GONE || j >= n || rank(ids[i], ids[j]) !== r) continue
    ids[i] = merged[r]
    ids[j] = GONE
    next[i] = next[j]
    if (next[i] < n) previous[next[i]] = i
    offer(previous[i])
    offer(i)
  }
  const tokens: string[] = []
  for (let i = 0; i < n; i = next[i]) tokens.push(word.slice(starts[i], starts[next[i]]))
  return tokens
}
