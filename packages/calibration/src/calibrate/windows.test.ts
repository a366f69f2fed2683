import type { Tokenizer } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import { calibrationWindows, checkWindows, spreadWindows } from './windows.js'

/** Letters a, b, c … are 2, 3, 4 …; the beginning token is 1. */
function letters({ addBos = true } = {}): Tokenizer {
  const encode = (text: string) =>
    Uint32Array.from([...(addBos ? [1] : []), ...Array.from(text, (letter) => letter.charCodeAt(0) - 95)])
  return { encode, bosId: 1 } as unknown as Tokenizer
}

const cut = (text: string, length: number, limit = 99, options?: { keepRest?: boolean }, tokenizer = letters()) =>
  calibrationWindows(text, tokenizer, length, limit, options).map((window) => [...window])

test('documents follow each other, and every window begins as texts do', () => {
  expect(cut('abcd<|endoftext|> ef\n<|endoftext|>', 4)).toEqual([
    [1, 2, 3, 4],
    // Here stood d, the fifth token.
    [1, 1, 6, 7],
  ])
  expect(cut('abcd', 2, 99, {}, letters({ addBos: false }))).toEqual([
    [2, 3],
    [4, 5],
  ])
})

test('a rest is dropped or kept, and there are no more windows than asked for', () => {
  expect(cut('abcdef', 3)).toEqual([
    [1, 2, 3],
    [1, 5, 6],
  ])
  expect(cut('abcdef', 3, 99, { keepRest: true }).at(-1)).toEqual([1])
  expect(cut('abcdef', 3, 1)).toEqual([[1, 2, 3]])
  expect(cut(' <|endoftext|>\n', 3, 99, { keepRest: true })).toEqual([])
})

test('counts are positive integers', () => {
  expect(() => checkWindows(1, 1)).not.toThrow()
  expect(() => checkWindows(0, 1)).toThrow(/samples/)
  expect(() => checkWindows(1, 1.5)).toThrow(/sequenceLength/)
})

test('some of many windows are taken from all over the text', () => {
  const windows = Array.from({ length: 10 }, (_, i) => Uint32Array.of(i))
  expect(spreadWindows(windows, 3).map(([i]) => i)).toEqual([1, 5, 8])
  expect(spreadWindows(windows, 10)).toEqual(windows)
  expect(spreadWindows(windows, 99)).toEqual(windows)
})
