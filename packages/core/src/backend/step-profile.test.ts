import { expect, test } from 'vitest'
import { emptyProfile, profileSince } from './step-profile.js'

test('the difference of two states of a profile', () => {
  const profile = emptyProfile()
  expect(profile).toEqual({ steps: 0, total: 0, operators: {} })
  const before = { steps: 2, total: 5, operators: { add: 1, gate: 3 } }
  const after = { steps: 3, total: 9, operators: { add: 2, gate: 3, linear: 2 } }
  expect(profileSince(after, before)).toEqual({ steps: 1, total: 4, operators: { add: 1, linear: 2 } })
  expect(profileSince(after, profile)).toEqual(after)
})
