import { InvalidArgumentError, UnsupportedError } from '@dpllm/core'
import { expect, test } from 'vitest'
import { scriptedDecoder } from '../../test/scripted-decoder.js'
import { byteLevelTokenizer, folder, sentencePieceTokenizer } from '../../test/tokenizers.js'
import { loadTokenizer } from '../text/tokenizer.js'
import { collect } from './collect.js'
import type { Decoder } from './decoder.js'
import { generate, PREFILL_CHUNK } from './generate.js'
import type { GenerateOptions, GeneratePart, Prompt } from './options.js'

async function load(json: unknown, config = {}) {
  await using directory = await folder({ 'tokenizer.json': json, 'tokenizer_config.json': config })
  return await loadTokenizer(directory.path)
}

const tokenizer = await load(byteLevelTokenizer(), { eos_token: '<|end|>' })
const END = tokenizer.idOf('<|end|>') as number
const ids = (text: string) => [...tokenizer.encode(text)]

async function parts(decoder: Decoder, prompt: Prompt, options?: GenerateOptions) {
  const found: GeneratePart[] = []
  for await (const part of generate(decoder, prompt, options)) found.push(part)
  return found
}

test('says the script until its end token, which has no text', async () => {
  const decoder = scriptedDecoder(tokenizer, [...ids('the cat'), END])
  const found = await parts(decoder, 'see ')
  expect(found.map((part) => part.text)).toEqual(['t', 'he', 'Ġ', 'c', 'a', 't', ''].map((text) => text.replace('Ġ', ' ')))
  expect(found.map((part) => part.token)).toEqual([...ids('the cat'), END])
  expect(found.map((part) => part.finishReason)).toEqual([...Array(6).fill(undefined), 'eos'])
  expect(found[0].logprob).toBeCloseTo(-(tokenizer.vocabSize - 1) * Math.exp(-20), 8)
  const prompt = ids('see ')
  expect(decoder.calls[0]).toEqual({ tokens: prompt, position: 0 })
  expect(decoder.calls.slice(1)).toEqual(ids('the cat').map((token, i) => ({ tokens: [token], position: prompt.length + i })))
  expect(decoder.caches).toEqual([{ capacity: 2048, disposed: 1 }])
})

test('counts tokens, and bits of the decode steps', async () => {
  const found = await parts(scriptedDecoder(tokenizer, ids('a')), 'see', { maxTokens: 4 })
  expect(found.map((part) => part.bits)).toEqual([8, 3, 4, 3])
  expect(found.map((part) => part.effectiveBits)).toEqual([8, 3, 3.5, 10 / 3])
  expect(found.map((part) => part.generatedTokens)).toEqual([1, 2, 3, 4])
  expect(found.every((part) => part.promptTokens === 3)).toBe(true)
  expect(found[3].finishReason).toBe('length')
  for (const { timings } of found) for (const value of Object.values(timings)) expect(value).toBeGreaterThanOrEqual(0)
  expect(found[3].timings.timeToFirstTokenMs).toBe(found[0].timings.timeToFirstTokenMs)
})

test('ends with the context, and no later', async () => {
  const decoder = scriptedDecoder(tokenizer, ids('a'), { contextLength: 10 })
  expect(await parts(decoder, 'seven77')).toHaveLength(3)
  expect(await parts(decoder, 'seven77', { maxTokens: 100 })).toHaveLength(3)
  expect(await parts(decoder, 'nine99999', { maxTokens: 100 })).toHaveLength(1)
  expect(decoder.caches.map((cache) => cache.capacity)).toEqual([10, 10, 10])
})

test('end tokens can be passed over; they stay without text', async () => {
  const found = await collect(
    generate(scriptedDecoder(tokenizer, [...ids('a'), END, ...ids('b')]), 'x', { ignoreEos: true, maxTokens: 3 }),
  )
  expect(found).toMatchObject({ text: 'ab', finishReason: 'length' })
})

test('text is held back until its characters are whole, and the last part has the rest', async () => {
  const bytes = ids('é😀')
  const found = await parts(scriptedDecoder(tokenizer, bytes), 'x', { maxTokens: 5 })
  expect(found.map((part) => part.text)).toEqual(['', 'é', '', '', '\ufffd'])
})

test('stop strings end the answer and are not part of it', async () => {
  const found = await parts(scriptedDecoder(tokenizer, ids('one\n\ntwo')), 'x', { stop: ['\n\nt', '###'] })
  expect(found.map((part) => part.text)).toEqual(['o', 'n', 'e', '', '', ''])
  expect(found.at(-1)).toMatchObject({ finishReason: 'stop', stopString: '\n\nt' })
  const missed = await parts(scriptedDecoder(tokenizer, ids('one\n\n')), 'x', { stop: ['\n\nt'], maxTokens: 5 })
  expect(missed.map((part) => part.text)).toEqual(['o', 'n', 'e', '', '\n\n'])
  expect(missed.at(-1)).toMatchObject({ finishReason: 'length' })
  expect(missed.at(-1)).not.toHaveProperty('stopString')
})

test('the answer continues the prompt: a first space belongs to it', async () => {
  const spm = await load(sentencePieceTokenizer(), { bos_token: '<s>', eos_token: '</s>' })
  const script = [spm.idOf('▁the') as number, 2]
  const decoder = scriptedDecoder(spm, script)
  expect(await collect(generate(decoder, 'on'))).toMatchObject({ text: ' the', promptTokens: 3 })
  expect(decoder.calls[0].tokens[0]).toBe(spm.bosId)
  expect(await collect(generate(scriptedDecoder(spm, script), Uint32Array.of(1)))).toMatchObject({ text: 'the' })
})

test('chats go through the template, which brings its own special tokens', async () => {
  const source =
    "{% for m in messages %}{{ m.role + ':' + m.content + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ 'a:' }}{% endif %}"
  const decoder = scriptedDecoder(tokenizer, [END], { chatTemplate: { file: 'chat_template.jinja', source } })
  await parts(decoder, [{ role: 'user', content: 'hi' }])
  expect(decoder.calls[0].tokens).toEqual([...ids('user:hi'), END, ...ids('a:')])
  await expect(parts(scriptedDecoder(tokenizer, [END]), [{ role: 'user', content: 'hi' }])).rejects.toThrow(UnsupportedError)
})

test('long prompts run in chunks, and say how far they are', async () => {
  const decoder = scriptedDecoder(tokenizer, [END])
  const prompt = Uint32Array.from({ length: 2 * PREFILL_CHUNK + 1 }, (_, i) => i % 256)
  const progress: object[] = []
  await parts(decoder, prompt, { onPromptProgress: (p) => progress.push(p) })
  expect(decoder.calls.map(({ tokens, position }) => [position, tokens.length])).toEqual([
    [0, 512],
    [512, 512],
    [1024, 1],
  ])
  expect(decoder.calls.flatMap((call) => call.tokens)).toEqual([...prompt])
  expect(progress).toEqual([512, 1024, 1025].map((done) => ({ stage: 'prompt', done, total: 1025, unit: 'tokens' })))
})

test.each<[string, Prompt, GenerateOptions, string]>([
  ['an empty prompt', '', {}, 'prompt: expected at least one token'],
  [
    'a prompt as long as the context',
    Uint32Array.from({ length: 20 }),
    {},
    'prompt: expected fewer tokens than the context of 20, found 20',
  ],
  ['a token that the model does not have', Uint32Array.of(1, 100_000), {}, 'prompt: expected token ids below'],
  ['no tokens', 'x', { maxTokens: 0 }, 'maxTokens: expected an integer, at least 1'],
  ['half a token', 'x', { maxTokens: 1.5 }, 'maxTokens: expected an integer'],
  ['sampling options out of range', 'x', { topP: 2 }, 'topP: expected'],
  ['an empty stop string', 'x', { stop: [''] }, 'stop: expected'],
])('refuses %s before it takes memory', async (_, prompt, options, message) => {
  const decoder = scriptedDecoder(tokenizer, [END], { contextLength: 20 })
  const failure = parts(decoder, prompt, options)
  await expect(failure).rejects.toBeInstanceOf(InvalidArgumentError)
  await expect(failure).rejects.toThrow(message)
  expect(decoder.caches).toEqual([])
})

test('leaving the loop frees the cache', async () => {
  const decoder = scriptedDecoder(tokenizer, ids('a'))
  for await (const part of generate(decoder, 'x')) if (part.generatedTokens === 2) break
  expect(decoder.caches[0].disposed).toBe(1)
  expect(decoder.calls).toHaveLength(2)
})

test('a failing step frees the cache and comes through', async () => {
  const decoder = scriptedDecoder(tokenizer, ids('a'), { decode: () => Promise.reject(new Error('device lost')) })
  await expect(parts(decoder, 'x')).rejects.toThrow('device lost')
  expect(decoder.caches[0].disposed).toBe(1)
})

test('an abort rejects with its reason: at once, between chunks of the prompt, during a step, and between tokens', async () => {
  const reason = new Error('enough')
  const long = new Uint32Array(1500)

  const before = scriptedDecoder(tokenizer, ids('a'))
  await expect(parts(before, 'x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(before.caches).toEqual([])

  const inPrompt = new AbortController()
  const prompt = scriptedDecoder(tokenizer, ids('a'))
  await expect(parts(prompt, long, { signal: inPrompt.signal, onPromptProgress: () => inPrompt.abort(reason) })).rejects.toBe(
    reason,
  )
  expect(prompt.calls).toHaveLength(1)

  const inStep = new AbortController()
  let steps = 0
  const step = scriptedDecoder(tokenizer, ids('a'), { beforeStep: async () => void (++steps === 3 && inStep.abort(reason)) })
  const seen: number[] = []
  await expect(
    (async () => {
      for await (const part of generate(step, 'x', { signal: inStep.signal })) seen.push(part.token)
    })(),
  ).rejects.toBe(reason)
  expect(seen).toHaveLength(2)

  const between = new AbortController()
  const decoder = scriptedDecoder(tokenizer, ids('a'))
  const run = generate(decoder, 'x', { signal: between.signal })
  await run.next()
  between.abort(reason)
  await expect(run.next()).rejects.toBe(reason)
  expect(decoder.calls).toHaveLength(1)
  for (const { caches } of [prompt, step, decoder]) expect(caches.map((cache) => cache.disposed)).toEqual([1])
})

test('the same seed gives the same answer', async () => {
  const flat = {
    prefill: async () => ({ logits: new Float32Array(tokenizer.vocabSize), bits: 8 }),
    decode: async () => ({ logits: new Float32Array(tokenizer.vocabSize), bits: 4 }),
  }
  const answer = async (seed: number) =>
    (await parts(scriptedDecoder(tokenizer, [], flat), 'x', { maxTokens: 20, temperature: 1, seed, ignoreEos: true })).map(
      (part) => part.token,
    )
  expect(await answer(1)).toEqual(await answer(1))
  expect(await answer(1)).not.toEqual(await answer(2))
})

test('collect gives the whole answer', async () => {
  const decoder = scriptedDecoder(tokenizer, [...ids('hi!'), END])
  const found = await collect(generate(decoder, 'x', { stop: ['!'] }))
  expect(found).toMatchObject({ text: 'hi', finishReason: 'stop', stopString: '!', promptTokens: 1, effectiveBits: 3.5 })
  expect(found.tokens.map(({ id, text, bits }) => ({ id, text, bits }))).toEqual([
    { id: ids('h')[0], text: 'h', bits: 8 },
    { id: ids('i')[0], text: 'i', bits: 3 },
    { id: ids('!')[0], text: '', bits: 4 },
  ])
  await expect(collect((async function* () {})())).rejects.toThrow(InvalidArgumentError)
})
