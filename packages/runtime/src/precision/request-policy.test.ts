import { staticPolicy } from '@dpllm/core'
import { expect, test } from 'vitest'
import type { Precision } from './choose-precision.js'
import { requestPolicy } from './request-policy.js'

const shared = staticPolicy([3])

/** A precision whose policies note the targets that they are moved to. */
function movable(): { precision: Precision; moves: number[] } {
  const moves: number[] = []
  const retarget = (bits: number) => void moves.push(bits)
  const adapt = () => ({ policy: staticPolicy([4]), range: [3, 5] as const, retarget })
  return { precision: { policy: shared, prefillPolicy: undefined, adapt }, moves }
}

test('with feedback a request has a policy of its own, which what is read moves the other way', () => {
  const { precision, moves } = movable()
  const { policy, record } = requestPolicy(precision, { targetBits: 3.5 })
  expect(policy).toEqual(staticPolicy([4]))
  record!(3.9, 8)
  record!(3.1, 64)
  expect(moves).toHaveLength(2)
  expect(moves[0]).toBeLessThan(3.5)
  expect(moves[1]).toBeGreaterThan(3.5)
  expect(requestPolicy(precision, { targetBits: 3.5 }).policy).not.toBe(policy)
})

test('without it, and where there is nothing to move, the policy is the shared one', () => {
  expect(requestPolicy(movable().precision, { targetBits: 3.5, feedback: false })).toEqual({ policy: shared })
  expect(requestPolicy({ policy: shared, prefillPolicy: shared }, { targetBits: 3 })).toEqual({ policy: shared })
})
