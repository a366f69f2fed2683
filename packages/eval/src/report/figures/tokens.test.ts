import { expect, test } from 'vitest'
import { wholeCharacters } from './tokens.js'

test('parts of a character are one token, with the mean of their bits', () => {
  const tokens = [
    { text: 'a', bits: 3 },
    { text: '', bits: 3 },
    { text: '', bits: 4 },
    { text: '語', bits: 5 },
    { text: 'b', bits: 4 },
    { text: '', bits: 5 },
  ]
  expect(wholeCharacters(tokens)).toEqual([
    { text: 'a', bits: 3 },
    { text: '語', bits: 4 },
    { text: 'b', bits: 4 },
  ])
})
