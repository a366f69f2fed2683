import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { DpllmError, FileFormatError, UnsupportedError } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteLevelTokenizer, folder, sentencePieceTokenizer } from '../../test/tokenizers.js'
import { loadTokenizer } from './tokenizer.js'

async function load(files: Record<string, unknown>) {
  await using directory = await folder(files)
  return await loadTokenizer(directory.path)
}

const good = sentencePieceTokenizer()
const text = JSON.stringify(good)
const withModel = (change: Record<string, unknown>) => ({ ...good, model: { ...good.model, ...change } })

test.each<[string, unknown, string]>([
  ['truncated', text.slice(0, text.length / 2), 'is not JSON'],
  ['empty', '', 'is not JSON'],
  ['an array', [], 'tokenizer: '],
  ['no model', { ...good, model: undefined }, 'model: '],
  ['a model that is text', { ...good, model: 'BPE' }, 'model: '],
  ['no vocabulary', withModel({ vocab: undefined }), 'model.vocab: expected an object'],
  ['an empty vocabulary', withModel({ vocab: {} }), 'model.vocab: is empty'],
  ['an id that is text', withModel({ vocab: { a: '0' } }), 'model.vocab: id of "a": expected an integer'],
  ['an id out of range', withModel({ vocab: { a: 2 ** 32 } }), 'model.vocab: id of "a": expected an integer'],
  ['a negative id', withModel({ vocab: { a: -1 } }), 'model.vocab: id of "a": expected an integer'],
  ['an id twice', withModel({ vocab: { ...(good.model.vocab as object), b: 262 } }), 'model.vocab: id 262 stands for two tokens'],
  ['no merges', withModel({ merges: null }), 'model.merges: expected an array'],
  ['a merge of three', withModel({ merges: ['a b c'] }), 'model.merges: merge 0: expected two tokens'],
  ['a merge of numbers', withModel({ merges: [[1, 2]] }), 'model.merges: merge 0: expected two tokens'],
  ['a merge into nothing known', withModel({ merges: [['a', 'b']] }), 'model.merges: merge 0: "ab" is not in the vocabulary'],
  ['an unknown token that is unknown', withModel({ unk_token: '<none>' }), 'model.unk_token: "<none>" is not in the vocabulary'],
  ['an added token without text', { ...good, added_tokens: [{ id: 1 }] }, 'added_tokens.0.content: '],
  ['an added token out of range', { ...good, added_tokens: [{ id: 2 ** 40, content: 'x' }] }, 'added_tokens.0.id: '],
  [
    'a pattern that is none',
    { ...good, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } },
    'is not a tokenizer',
  ],
  ['a Replace without a pattern', { ...good, normalizer: { type: 'Replace', content: '' } }, 'Replace.pattern: expected'],
  ['a normalizer of no known kind', { ...good, normalizer: { type: 'Magic' } }, 'is not a tokenizer'],
  [
    'a post-processor with an unknown token',
    { ...good, post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<x>' } }] } },
    'post_processor: "<x>" is not in the vocabulary',
  ],
  ['a post-processor without a template', { ...good, post_processor: { type: 'TemplateProcessing' } }, 'is not a tokenizer'],
  ['decoders that are no list', { ...good, decoder: { type: 'Sequence', decoders: 1 } }, 'decoder.decoders: expected an array'],
  ['deep nesting', `${'{"model":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 'nested deeper'],
])('broken tokenizer.json: %s', async (_, content, message) => {
  const failure = load({ 'tokenizer.json': content })
  await expect(failure).rejects.toBeInstanceOf(FileFormatError)
  await expect(failure).rejects.toThrow('tokenizer.json: ')
  await expect(failure).rejects.toThrow(message)
})

test.each<[string, unknown, string]>([
  ['Unigram', withModel({ type: 'Unigram', vocab: [['a', 0]] }), 'tokenizer model "Unigram"'],
  ['a word suffix', withModel({ end_of_word_suffix: '</w>' }), 'word suffix'],
  ['no decoder', { ...good, decoder: null }, 'without a decoder'],
  ['WordPiece', { ...good, decoder: { type: 'WordPiece' } }, 'tokenizer decoder "WordPiece"'],
  ['Strip at the end', { ...good, decoder: { type: 'Strip', content: ' ', start: 0, stop: 1 } }, 'tokenizer decoder Strip'],
  [
    'merged splits',
    { ...good, pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithNext' } },
    'MergedWithNext',
  ],
])('unknown tokenizer.json: %s', async (_, content, message) => {
  const failure = load({ 'tokenizer.json': content })
  await expect(failure).rejects.toBeInstanceOf(UnsupportedError)
  await expect(failure).rejects.toThrow(message)
})

test('a missing tokenizer.json is named', async () => {
  await expect(load({})).rejects.toThrow(/tokenizer\.json: .*no such file/)
})

test('any damage gives a typed error or a tokenizer that works', async () => {
  await using directory = await folder({})
  const file = path.join(directory.path, 'tokenizer.json')
  const damages = fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:0-9an\\'), fc.nat(3)), { minLength: 1, maxLength: 3 })
  const sources = fc.constantFrom(text, JSON.stringify(byteLevelTokenizer()))
  await fc.assert(
    fc.asyncProperty(sources, damages, async (source, places) => {
      // Most of the file is vocabulary: half of the damage goes into the structure after and before it.
      const vocab = source.indexOf('"vocab"')
      let damaged = source
      for (const [at, character, how] of places) {
        const i = at % (how < 2 ? vocab : source.length)
        damaged = how === 0 ? damaged.slice(0, i) + damaged.slice(i + 1) : damaged.slice(0, i) + character + damaged.slice(i + 1)
      }
      await writeFile(file, damaged)
      try {
        const tokenizer = await loadTokenizer(directory.path)
        for (const id of tokenizer.encode('the <s> 42')) expect(id).toBeLessThan(tokenizer.vocabSize)
        expect(typeof tokenizer.decode([0, 1, 2, 3, 100])).toBe('string')
      } catch (error) {
        expect(error).toSatisfy(DpllmError.isInstance)
      }
    }),
    { numRuns: 300 },
  )
})
