import { expect, test } from 'vitest'
import { mixBoundaries } from './mix-boundaries.js'

test('every other sixteen documents stand in one', () => {
  const text = Array.from({ length: 50 }, (_, i) => `\nStory ${i}.\n`).join('<|endoftext|>')
  const mixed = mixBoundaries(text).split('<|endoftext|>')
  expect(mixed).toHaveLength(16 + 1 + 16 + 1)
  expect(mixed[15].trim()).toBe('Story 15.')
  expect(mixed[16].trim().split('\n\n')).toEqual(Array.from({ length: 16 }, (_, i) => `Story ${16 + i}.`))
  expect(mixed[33].trim()).toBe('Story 48.\n\nStory 49.')
  // Not a word is lost.
  const words = (t: string) => t.replaceAll('<|endoftext|>', ' ').split(/\s+/)
  expect(words(mixBoundaries(text))).toEqual(words(text))
})

test('a text without separators stays', () => {
  expect(mixBoundaries('One.\n\nTwo.')).toBe('One.\n\nTwo.')
})
