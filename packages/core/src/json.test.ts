import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FileFormatError } from './errors.js'
import { duplicateKey, parseJson } from './json.js'

test('reads what JSON.parse reads, and refuses the rest by a typed error', () => {
  const text = fc.oneof(fc.json({ maxDepth: 4 }), fc.string({ unit: fc.constantFrom(...'{}[]":,\\ 1atrue') }))
  fc.assert(
    fc.property(text, (json) => {
      let expected: unknown
      try {
        expected = JSON.parse(json)
      } catch {
        expect(() => parseJson(json, { file: 'f' })).toThrow(FileFormatError)
        return
      }
      expect(parseJson(json, { file: 'f' })).toEqual(expected)
    }),
    { numRuns: 2000 },
  )
})

test('limits count what is built, not what stands in strings', () => {
  expect(parseJson('["[[[[[{{{{,,,,::::\\"[[[["]', { file: 'f', maxDepth: 1, maxItems: 1 })).toEqual(['[[[[[{{{{,,,,::::"[[[['])
  expect(() => parseJson('[[1]]', { file: 'f', maxDepth: 1 })).toThrow(/f: JSON is nested deeper than 1 levels/)
  expect(parseJson('[[],[],[]]', { file: 'f', maxDepth: 2, maxItems: 6 })).toEqual([[], [], []])
  expect(() => parseJson('[[],[],[]]', { file: 'f', maxItems: 5 })).toThrow(/more than 5 objects, members and elements/)
  expect(() => parseJson('{"a":1,"b":2}', { file: 'f', maxItems: 3 })).toThrow(/more than 3/)
})

test('JSON without a key twice has none', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      expect(duplicateKey(JSON.stringify(value))).toBeUndefined()
    }),
  )
})

test.each<[json: string, key: string]>([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"a":{"b":[{"c":1},{"c":1,"d":{},"c":2}]}}', 'c'],
  ['{"":0,"x":{"":1},"":2}', ''],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ['{ "a\\"" : "b" , "a\\"" : 1 }', 'a"'],
])('finds the key that %s holds twice', (json, key) => {
  expect(duplicateKey(json)).toBe(key)
})
