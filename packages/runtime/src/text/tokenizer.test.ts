import { Tokenizer as Library } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteLevelTokenizer, folder, sentencePieceTokenizer } from '../../test/tokenizers.js'
import { loadTokenizer } from './tokenizer.js'

async function load(files: Record<string, unknown>) {
  await using directory = await folder(files)
  return await loadTokenizer(directory.path)
}

const spell = (tokenizer: Awaited<ReturnType<typeof load>>, text: string) =>
  [...tokenizer.encode(text)].map((id) => tokenizer.token(id))

test('SentencePiece: the text is one word, unknown characters are bytes, <s> begins it', async () => {
  const tokenizer = await load({ 'tokenizer.json': sentencePieceTokenizer() })
  expect(spell(tokenizer, 'the ball')).toEqual(['<s>', '▁the', '▁', 'b', 'a', 'll'])
  expect(spell(tokenizer, 'é€')).toEqual(['<s>', '▁', 'é', '<0xE2>', '<0x82>', '<0xAC>'])
  expect(tokenizer.encode('the', { addSpecialTokens: false })).toEqual(Uint32Array.of(tokenizer.idOf('▁the') as number))
  expect(tokenizer.encode('')).toEqual(Uint32Array.of(1))
  expect(tokenizer.vocabSize).toBe(3 + 256 + 30 + 9)
  expect(tokenizer.token(tokenizer.vocabSize)).toBeUndefined()
})

test('byte-level: digits and other numeric characters stand alone', async () => {
  const tokenizer = await load({ 'tokenizer.json': byteLevelTokenizer() })
  expect(spell(tokenizer, 'in the 42')).toEqual(['i', 'n', 'Ġthe', 'Ġ', '4', '2'])
  expect(spell(tokenizer, ' ½')).toEqual(['Ġ', 'Â½'])
  expect(spell(tokenizer, 'a<|end|>the')).toEqual(['a', '<|end|>', 't', 'he'])
})

test('white space is what Unicode says: U+FEFF is none, so it joins its like', async () => {
  const json = byteLevelTokenizer()
  const bom = 'ï»¿'
  const vocab = { ...(json.model.vocab as Record<string, number>), 'ï»': 300, [bom]: 301, [bom + bom]: 302 }
  json.model = { ...json.model, vocab, merges: ['ï »', 'ï» ¿', `${bom} ${bom}`] }
  const tokenizer = await load({ 'tokenizer.json': json })
  expect(spell(tokenizer, '\ufeff\ufeffa')).toEqual([bom + bom, 'a'])
  expect(tokenizer.decode(tokenizer.encode('\u0085\ufeff'))).toBe('\u0085\ufeff')
})

test('Metaspace splits before every space unless told not to', async () => {
  const json = sentencePieceTokenizer()
  const pre_tokenizer = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true }
  const split = await load({ 'tokenizer.json': { ...json, normalizer: null, pre_tokenizer } })
  expect(spell(split, 'a  a')).toEqual(['<s>', '▁', 'a', '▁', '▁', 'a'])
  const whole = await load({ 'tokenizer.json': { ...json, normalizer: null, pre_tokenizer: { ...pre_tokenizer, split: false } } })
  expect(spell(whole, 'a  a')).toEqual(['<s>', '▁', 'a', '▁▁', 'a'])
})

test.each([
  ['SentencePiece', sentencePieceTokenizer()],
  ['byte-level', byteLevelTokenizer()],
])('%s: decoding what was encoded gives the text again, and the ids are those of the library', async (_, json) => {
  const tokenizer = await load({ 'tokenizer.json': json })
  const library = new Library(json, {})
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'the ll 4½²é😀\n日'), maxLength: 60 }), (text) => {
      const ids = tokenizer.encode(text)
      expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(text)
      // The library knows ASCII digits only.
      if (!/[½²]/.test(text)) expect([...ids]).toEqual(library.encode(text).ids)
    }),
    { numRuns: 500 },
  )
})

test('decoding keeps a space that follows a special token and drops the one that was put before the text', async () => {
  const tokenizer = await load({ 'tokenizer.json': sentencePieceTokenizer() })
  const ids = tokenizer.encode('the  on')
  expect(tokenizer.decode(ids)).toBe('<s> the  on')
  expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('the  on')
  expect(tokenizer.decode([])).toBe('')
  expect(tokenizer.decode([100_000, ...ids], { skipSpecialTokens: true })).toBe('the  on')
  expect(() => tokenizer.decode([-1])).toThrow('ids: expected token ids')
})

test('only special tokens are left out', async () => {
  const tokenizer = await load({ 'tokenizer.json': byteLevelTokenizer() })
  const ids = tokenizer.encode('<think>a<|end|>')
  expect(tokenizer.decode(ids)).toBe('<think>a<|end|>')
  expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('<think>a')
})

test('a stream of random tokens is the text of all of them', async () => {
  for (const json of [sentencePieceTokenizer(), byteLevelTokenizer()]) {
    const tokenizer = await load({ 'tokenizer.json': json })
    const sequences = fc.array(fc.nat(tokenizer.vocabSize - 1), { maxLength: 40 })
    fc.assert(
      fc.property(sequences, sequences, fc.boolean(), (before, ids, skipSpecialTokens) => {
        const decoder = tokenizer.createDecoder({ skipSpecialTokens })
        const pieces = ids.map((id) => decoder.push(id)).join('') + decoder.end()
        expect(pieces).toBe(tokenizer.decode(ids, { skipSpecialTokens }))
        const rest = tokenizer.createDecoder({ skipSpecialTokens, after: before })
        const following = ids.map((id) => rest.push(id)).join('') + rest.end()
        expect(tokenizer.decode([...before, ...ids], { skipSpecialTokens }).endsWith(following)).toBe(true)
      }),
      { numRuns: 500 },
    )
  }
})

test('a stream that follows a prompt begins with its space', async () => {
  const tokenizer = await load({ 'tokenizer.json': sentencePieceTokenizer() })
  const the = tokenizer.idOf('▁the') as number
  expect(tokenizer.createDecoder({ after: tokenizer.encode('on'), skipSpecialTokens: true }).push(the)).toBe(' the')
  expect(tokenizer.createDecoder({ after: [1], skipSpecialTokens: true }).push(the)).toBe('the')
})
