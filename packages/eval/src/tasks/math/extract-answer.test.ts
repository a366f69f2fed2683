import { expect, test } from 'vitest'
import { anyAnswer, finalAnswer, lastBoxed } from './extract-answer.js'

test.each([
  ['so $\\boxed{\\frac{1}{2}}$.', '\\frac{1}{2}'],
  ['\\boxed{1} and then \\boxed{\\{2, 3\\}}', '\\{2, 3\\}'],
  ['$\\fbox{x}$', 'x'],
  ['$\\boxed 7$', '7'],
  ['\\boxed{never closed', undefined],
  ['none', undefined],
])('the last box of %j', (text, wanted) => {
  expect(lastBoxed(text)).toBe(wanted)
})

test.each([
  [' Add.\nFinal Answer: The final answer is $24$. I hope it is correct.\n\n', '$24$', '$24$'],
  // Ended by the limit of tokens just before the last sentence.
  ['Final Answer: The final answer is $24$. ', '$24$', '$24$'],
  ['So \\boxed{24}', '[invalid]', '24'],
  ['The answer is 3.5.', '[invalid]', '3.5'],
  ['The answer is: $\\frac{1}{2}$, I think', '[invalid]', '\\frac{1}{2}'],
  ['no idea', '[invalid]', '[invalid]'],
])('the answer of %j', (text, strict, flexible) => {
  expect(finalAnswer(text)).toBe(strict)
  expect(anyAnswer(text)).toBe(flexible)
})
