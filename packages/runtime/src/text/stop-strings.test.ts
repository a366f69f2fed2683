import { InvalidArgumentError } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStopFilter } from './stop-strings.js'

function filter(pieces: string[], stops: string[]) {
  const stream = createStopFilter(stops)
  const seen: string[] = []
  for (const piece of pieces) {
    const { text, stop } = stream.push(piece)
    seen.push(text)
    if (stop !== undefined) return { seen, text: seen.join(''), stop }
  }
  seen.push(stream.end())
  return { seen, text: seen.join(''), stop: undefined }
}

test('ends before a stop string that comes in pieces', () => {
  expect(filter(['one E', 'N', 'D two'], ['END'])).toEqual({ seen: ['one ', '', ''], text: 'one ', stop: 'END' })
})

test('gives what only looked like the beginning of a stop string', () => {
  expect(filter(['a<', '/', 'b', '<'], ['</s>']).seen).toEqual(['a', '', '</b', '', '<'])
})

test('the stop string that ends first counts, of those the longest', () => {
  expect(filter(['abcd'], ['abcd', 'bc'])).toMatchObject({ text: 'a', stop: 'bc' })
  expect(filter(['abcd'], ['bc', 'abc'])).toMatchObject({ text: '', stop: 'abc' })
  expect(filter(['aab'], ['ab'])).toMatchObject({ text: 'a', stop: 'ab' })
})

const word = (min: number, max: number) => fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: min, maxLength: max })

test('depends on the text, not on how it is cut; what it gives holds no stop string', () => {
  fc.assert(
    fc.property(fc.array(word(0, 5), { maxLength: 8 }), fc.array(word(1, 4), { maxLength: 3 }), (pieces, stops) => {
      const whole = filter([pieces.join('')], stops)
      const { text, stop } = filter(pieces, stops)
      expect({ text, stop }).toEqual({ text: whole.text, stop: whole.stop })
      for (const stop of stops) expect(text).not.toContain(stop)
      expect(pieces.join('').startsWith(text + (stop ?? ''))).toBe(true)
      if (stop === undefined) expect(text).toBe(pieces.join(''))
    }),
    { numRuns: 1000 },
  )
})

test('never gives a piece that a stop string may still begin in', () => {
  fc.assert(
    fc.property(word(0, 8), word(1, 4), (text, stop) => {
      const { text: given, stop: found } = createStopFilter([stop]).push(text)
      fc.pre(found === undefined)
      for (let n = 1; n < stop.length; n++)
        if (text.endsWith(stop.slice(0, n))) expect(given.length).toBeLessThanOrEqual(text.length - n)
    }),
  )
})

test('refuses an empty stop string', () => {
  expect(() => createStopFilter([''])).toThrow(InvalidArgumentError)
})
