import { InvalidArgumentError } from '@dpllm/core'
import type { GenerateOptions, GeneratePart, Prompt } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import type { RequestModel } from './ask-request.js'
import { requestBits } from './request-bits.js'

/** Answers read as many bits as their prompts have tokens; letters are tokens. */
function toy(asked: { prompt: Prompt; options: GenerateOptions | undefined }[]): RequestModel {
  return {
    tokenizer: { encode: (text: string) => Uint32Array.from(text, (letter) => letter.charCodeAt(0)) } as never,
    async *generate(prompt, options) {
      asked.push({ prompt, options })
      const part = { text: '', token: 0, logprob: 0, bits: 0, finishReason: 'length', effectiveBits: prompt.length }
      yield { ...part, promptTokens: prompt.length, generatedTokens: 1, timings: {} } as unknown as GeneratePart
    },
  }
}

test('mean and percentiles over requests, which all have the same length', async () => {
  const asked: { prompt: Prompt; options: GenerateOptions | undefined }[] = []
  const result = await requestBits(toy(asked), ['ab', 'abcd', 'abcdefgh'], { promptTokens: 6, targetBits: 4, seed: 1 })
  expect(result.effectiveBits).toEqual([2, 4, 6])
  expect(result.mean).toBe(4)
  expect(result.percentiles).toEqual({
    1: expect.closeTo(2.04, 12),
    50: 4,
    90: expect.closeTo(5.6, 12),
    99: expect.closeTo(5.96, 12),
  })
  expect(asked.map(({ options }) => options)).toEqual(
    Array.from({ length: 3 }, () => ({ targetBits: 4, seed: 1, maxTokens: 100, ignoreEos: true })),
  )
})

test('no prompts and answers without a decoded token are refused', async () => {
  await expect(requestBits(toy([]), [])).rejects.toThrow(InvalidArgumentError)
  await expect(requestBits(toy([]), ['a'], { maxTokens: 1 })).rejects.toThrow(/maxTokens/)
})
