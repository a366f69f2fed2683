import { expect, test } from 'vitest'
import { remember } from './remember.js'

test('values are made once, and the one not asked for the longest is forgotten first', () => {
  const known = new Map<string, string>()
  const made: string[] = []
  const ask = (key: string) =>
    remember(known, key, 2, () => {
      made.push(key)
      return key.toUpperCase()
    })
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) expect(ask(key)).toBe(key.toUpperCase())
  // c took the place of b, which took that of c.
  expect(made).toEqual(['a', 'b', 'c', 'b'])
  expect([...known.keys()]).toEqual(['a', 'b'])
})
