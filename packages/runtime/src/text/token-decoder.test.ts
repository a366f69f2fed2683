import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTokenDecoder } from './token-decoder.js'

const tokens = [' ', 'a', '  b', '\ufeff', 'é'].map((text) => new TextEncoder().encode(text))
const bytesOf = (id: number) => (id < 256 ? Uint8Array.of(id) : tokens[id - 256])
const anyIds = fc.array(fc.oneof(fc.nat(260), fc.integer({ min: 256, max: 260 }), fc.integer({ min: 0x80, max: 0xff })), {
  maxLength: 30,
})

function textOf(ids: number[], spaces: number): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(ids.flatMap((id) => [...bytesOf(id)])))
  return text.replace(new RegExp(`^ {0,${spaces}}`), '')
}

test('the pieces together are the text of all tokens, also of bytes that are not UTF-8', () => {
  fc.assert(
    fc.property(anyIds, fc.nat(2), (ids, spaces) => {
      const decoder = createTokenDecoder(bytesOf, spaces)
      const pieces = ids.map((id) => decoder.push(id))
      expect(pieces.join('') + decoder.end()).toBe(textOf(ids, spaces))
    }),
    { numRuns: 1000 },
  )
})

test('a text that follows another is the rest of both together', () => {
  fc.assert(
    fc.property(anyIds, anyIds, fc.nat(2), (before, ids, spaces) => {
      const decoder = createTokenDecoder(bytesOf, spaces, Uint8Array.from(before.flatMap((id) => [...bytesOf(id)])))
      const rest = ids.map((id) => decoder.push(id)).join('') + decoder.end()
      expect(textOf([...before, ...ids], spaces).endsWith(rest)).toBe(true)
      const first = createTokenDecoder(bytesOf, spaces)
      const certain = before.map((id) => first.push(id)).join('')
      expect(certain + rest).toBe(textOf([...before, ...ids], spaces))
    }),
  )
})

test('holds a character back until its last byte', () => {
  const decoder = createTokenDecoder(bytesOf, 0)
  expect([0xf0, 0x9f, 0x98, 0x80].map((byte) => decoder.push(byte))).toEqual(['', '', '', '😀'])
  expect(decoder.push(0xe2)).toBe('')
  expect(decoder.end()).toBe('\ufffd')
  expect(decoder.push(257)).toBe('a')
})
