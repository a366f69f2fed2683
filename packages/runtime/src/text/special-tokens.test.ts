import { FileFormatError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { byteLevelTokenizer, folder, sentencePieceTokenizer } from '../../test/tokenizers.js'
import { loadTokenizer } from './tokenizer.js'

async function load(files: Record<string, unknown>, tokenizer: unknown = sentencePieceTokenizer()) {
  await using directory = await folder({ 'tokenizer.json': tokenizer, ...files })
  return await loadTokenizer(directory.path)
}

test('the end tokens of all files count, each once', async () => {
  const tokenizer = await load({
    'tokenizer_config.json': { bos_token: '<s>', eos_token: { content: '</s>' } },
    'generation_config.json': { eos_token_id: [2, 5, 7], bos_token_id: 9 },
    'config.json': { eos_token_id: 6 },
  })
  expect(tokenizer).toMatchObject({ bosId: 1, bosToken: '<s>', eosToken: '</s>', eosIds: [2, 5, 7, 6] })
})

test('special_tokens_map.json and ids stand in for tokenizer_config.json', async () => {
  expect(await load({ 'special_tokens_map.json': { bos_token: { content: '<s>' } } })).toMatchObject({ bosId: 1, eosIds: [] })
  expect(await load({ 'config.json': { bos_token_id: 1, eos_token_id: 2 } })).toMatchObject({
    bosId: 1,
    bosToken: undefined,
    eosIds: [2],
  })
  expect(await load({})).toMatchObject({ bosId: undefined, eosIds: [] })
})

test('a tokenizer_config.json that says null has no beginning token, whatever ids say', async () => {
  const files = { 'tokenizer_config.json': { bos_token: null }, 'config.json': { bos_token_id: 1 } }
  expect((await load(files)).bosId).toBeUndefined()
})

test('add_bos_token adds it where tokenizer.json does not', async () => {
  const config = { 'tokenizer_config.json': { bos_token: '<|end|>', add_bos_token: true } }
  const tokenizer = await load(config, byteLevelTokenizer())
  expect([...tokenizer.encode('a')].map(tokenizer.token)).toEqual(['<|end|>', 'a'])
  expect([...tokenizer.encode('a', { addSpecialTokens: false })].map(tokenizer.token)).toEqual(['a'])
  const once = await load({ 'tokenizer_config.json': { bos_token: '<s>', add_bos_token: true } })
  expect([...once.encode('a')].map(once.token)).toEqual(['<s>', '▁', 'a'])
})

test.each<[string, Record<string, unknown>, string]>([
  ['an unknown token', { 'tokenizer_config.json': { eos_token: '<none>' } }, 'eos_token: "<none>" is not in the vocabulary'],
  ['a token that is a number', { 'tokenizer_config.json': { bos_token: 1 } }, 'bos_token: expected a token'],
  ['an id that is text', { 'generation_config.json': { eos_token_id: '2' } }, 'eos_token_id: expected a token id'],
  ['ids out of range', { 'config.json': { eos_token_id: [1, 1e12] } }, 'eos_token_id: expected a token id'],
  ['not an object', { 'generation_config.json': [] }, 'generation_config.json: expected a JSON object'],
  ['not JSON', { 'tokenizer_config.json': '{' }, 'tokenizer_config.json: is not JSON'],
])('broken side files: %s', async (_, files, message) => {
  const failure = load(files)
  await expect(failure).rejects.toBeInstanceOf(FileFormatError)
  await expect(failure).rejects.toThrow(message)
})
