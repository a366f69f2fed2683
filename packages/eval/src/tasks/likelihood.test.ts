import { expect, test } from 'vitest'
import { encodePair, scorePairs } from './likelihood.js'
import { toyLogits, toyLogLikelihood, toyModel } from './testing/toy-model.js'

const codes = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0))

test('the log-likelihood of a continuation is the sum over its tokens', async () => {
  const { model, steps } = toyModel()
  const pairs = [' mat', ' moon', ' mat'].map((continuation) => ({ context: 'the cat sat on the', continuation }))
  const { likelihoods, tokens, promptTokens, truncated } = await scorePairs(model, pairs)
  for (const [i, { context, continuation }] of pairs.entries()) {
    const wanted = toyLogLikelihood([1, ...codes(context + continuation)], continuation.length)
    expect(likelihoods[i].logLikelihood).toBeCloseTo(wanted, 4)
  }
  expect({ tokens, promptTokens, truncated }).toEqual({ tokens: 4 + 5 + 4, promptTokens: 3 * 19, truncated: 0 })
  // The second pair shares the context and " m"; what is scored runs again.
  expect(steps.map(({ position, tokens }) => [position, tokens.length])).toEqual([
    [0, 22],
    [18, 5],
    [18, 4],
  ])
})

test('contexts that differ share no more than their beginning', async () => {
  const { model, steps } = toyModel()
  const pairs = ['Anna saw Bea', 'Anna saw Carl'].map((context) => ({ context, continuation: ' leave.' }))
  const { likelihoods } = await scorePairs(model, pairs)
  for (const [i, { context, continuation }] of pairs.entries()) {
    expect(likelihoods[i].logLikelihood).toBeCloseTo(toyLogLikelihood([1, ...codes(context + continuation)], 7), 4)
  }
  expect(steps.map(({ position }) => position)).toEqual([0, 10])
})

test('greedy: whether every token is the likeliest', async () => {
  const { model } = toyModel()
  const likeliest = (text: string) => {
    const logits = toyLogits([1, ...codes(text)])
    return String.fromCharCode(logits.indexOf(Math.max(...logits)))
  }
  const one = likeliest('abc')
  const two = one + likeliest(`abc${one}`)
  const pairs = [two, `${one}${two[1] === 'x' ? 'y' : 'x'}`].map((continuation) => ({ context: 'abc', continuation }))
  expect((await scorePairs(model, pairs)).likelihoods.map(({ greedy }) => greedy)).toEqual([true, false])
})

test('texts that are too long lose their beginning', async () => {
  const { model, steps } = toyModel({ contextLength: 8 })
  const { likelihoods, truncated } = await scorePairs(model, [{ context: 'abcdefghijkl', continuation: 'mn' }])
  expect(truncated).toBe(1)
  expect(steps[0].tokens).toEqual(Uint32Array.from(codes('fghijklm')))
  expect(likelihoods[0].logLikelihood).toBeCloseTo(toyLogLikelihood(codes('fghijklmn'), 2), 4)
})

test('spaces at the end of a context are predicted', () => {
  const { tokenizer } = toyModel().model
  expect(encodePair(tokenizer, { context: 'ab  ', continuation: 'c' })).toEqual({
    tokens: Uint32Array.from([1, ...codes('ab  c')]),
    first: 3,
  })
  expect(encodePair(tokenizer, { context: '', continuation: ' c' })).toEqual({ tokens: Uint32Array.of(1, 32, 99), first: 1 })
  const without = encodePair(tokenizer, { context: 'ab', continuation: 'c' }, false)
  expect(without).toEqual({ tokens: Uint32Array.from(codes('abc')), first: 2 })
})
