import { expect, test } from 'vitest'
import { answerAtEveryPrecision, withTinyModel } from './index.mjs'

test('one model answers at every precision, and stops when told to', async () => {
  const answers = await withTinyModel((folder: string) => answerAtEveryPrecision(folder))
  expect(answers.map((answer: { request: object }) => answer.request)).toEqual([
    { targetBits: 3.5 },
    { targetBits: 3.8 },
    { targetBits: 4.5 },
    { precision: 3 },
    { stopped: true },
  ])
  const [low, , , fixed, stopped] = answers
  for (const { request, effectiveBits } of answers.slice(0, 3)) {
    // Answers of 32 tokens.
    expect(Math.abs(effectiveBits - request.targetBits)).toBeLessThan(0.1)
  }
  expect(fixed.effectiveBits).toBe(3)
  // Everything that the memory budget of 5 bits has loaded.
  expect(stopped.effectiveBits).toBeGreaterThan(4.8)
  expect(stopped.effectiveBits).toBeLessThanOrEqual(5)
  expect(low.text).not.toBe('')
  expect(stopped.text.length).toBeLessThan(12)
})
