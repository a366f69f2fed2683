import { expect, test } from 'vitest'
import { answerAtEveryPrecision, withTinyModel } from './index.mjs'

test('one model answers at every precision, and stops when told to', async () => {
  const answers = await withTinyModel((folder: string) => answerAtEveryPrecision(folder))
  const [low, high, fixed, stopped] = answers
  expect(answers.map((answer: { request: object }) => answer.request)).toEqual([
    { targetBits: 3.5 },
    { targetBits: 4.5 },
    { precision: 4 },
    { stopped: true },
  ])
  expect(low.effectiveBits).toBeGreaterThan(3)
  expect(low.effectiveBits).toBeLessThan(4)
  expect(high.effectiveBits).toBeGreaterThan(4)
  expect(high.effectiveBits).toBeLessThan(5)
  expect(fixed.effectiveBits).toBe(4)
  expect(stopped.effectiveBits).toBe(5)
  expect(low.text).not.toBe('')
  expect(stopped.text.length).toBeLessThan(12)
})
