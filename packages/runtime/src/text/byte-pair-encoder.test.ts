import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBytePairEncoder } from './byte-pair-encoder.js'

/** The definition: again and again the earliest merge of the list, at its leftmost place. */
function mergeByDefinition(word: string, merges: readonly (readonly [string, string])[]): string[] {
  let tokens = [...word]
  for (;;) {
    let best: { rank: number; i: number } | undefined
    for (let i = 0; i + 1 < tokens.length; i++) {
      const rank = merges.findIndex(([left, right]) => left === tokens[i] && right === tokens[i + 1])
      if (rank >= 0 && (best === undefined || rank < best.rank)) best = { rank, i }
    }
    if (best === undefined) return tokens
    tokens = [...tokens.slice(0, best.i), tokens[best.i] + tokens[best.i + 1], ...tokens.slice(best.i + 2)]
  }
}

const characters = ['a', 'b', 'c', '😀']

/** Merge lists whose every side is a character or the result of an earlier merge. */
const mergeLists = fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 12 }).map((choices) => {
  const tokens = [...characters]
  const merges: [string, string][] = []
  for (const [i, j] of choices) {
    const pair: [string, string] = [tokens[i % tokens.length], tokens[j % tokens.length]]
    if (merges.some(([left, right]) => left === pair[0] && right === pair[1])) continue
    merges.push(pair)
    if (!tokens.includes(pair[0] + pair[1])) tokens.push(pair[0] + pair[1])
  }
  return { merges, vocabulary: new Map(tokens.map((token, id) => [token, id])) }
})

test('gives the tokens of the definition', () => {
  const words = fc.array(fc.constantFrom(...characters, 'x', '日'), { maxLength: 40 }).map((c) => c.join(''))
  fc.assert(
    fc.property(mergeLists, words, ({ merges, vocabulary }, word) => {
      const encode = createBytePairEncoder(vocabulary, merges)
      expect(encode(word)).toEqual(mergeByDefinition(word, merges))
      expect(encode(word).join('')).toBe(word)
    }),
    { numRuns: 500 },
  )
})

test('merges a word of a million equal characters from the left', () => {
  const vocabulary = new Map(['a', 'aa', 'aaaa'].map((token, id) => [token, id]))
  const encode = createBytePairEncoder(vocabulary, [
    ['a', 'a'],
    ['aa', 'aa'],
  ])
  const tokens = encode('a'.repeat(1_000_003))
  expect(tokens.length).toBe(250_002)
  expect(tokens.slice(-3)).toEqual(['aaaa', 'aa', 'a'])
})

test('the empty word has no tokens', () => {
  expect(createBytePairEncoder(new Map(), [])('')).toEqual([])
})
