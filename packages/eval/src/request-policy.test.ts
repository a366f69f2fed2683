import { type Policy, staticPolicy } from '@dpllm/core'
import type { Precision, PrecisionRequest } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import { requestPolicy } from './request-policy.js'

/** A model whose dynamic policies note the targets that they are moved to. */
function fakeModel() {
  const asked: PrecisionRequest[] = []
  const moves: number[] = []
  const shared = staticPolicy([3])
  const own: Policy[] = []
  const precision = (request: PrecisionRequest): Precision => {
    asked.push(request)
    if (request.targetBits === undefined) return { policy: shared, prefillPolicy: shared }
    const adapt = () => {
      const policy = staticPolicy([4])
      own.push(policy)
      return { policy, range: [3, 5] as const, retarget: (bits: number) => void moves.push(bits) }
    }
    return { policy: shared, prefillPolicy: undefined, adapt }
  }
  return { model: { precision }, asked, moves, shared, own }
}

test('with feedback a request has a policy of its own, which what is read moves the other way', () => {
  const { model, asked, moves, own } = fakeModel()
  const { policy, record, feedback } = requestPolicy(model, { targetBits: 3.5, method: 'budget' })
  expect(asked).toEqual([{ targetBits: 3.5, precision: undefined, method: 'budget' }])
  expect(feedback).toBe(true)
  expect(policy).toBe(own[0])
  record!(3.9, 8)
  record!(3.1, 64)
  expect(moves).toHaveLength(2)
  expect(moves[0]).toBeLessThan(3.5)
  expect(moves[1]).toBeGreaterThan(3.5)
  expect(requestPolicy(model, { targetBits: 3.5 }).policy).not.toBe(policy)
})

test('without it, and where there is nothing to move, the policy is the shared one', () => {
  const { model, shared, own } = fakeModel()
  for (const options of [{ targetBits: 3.5, feedback: false }, { precision: 3 }, {}]) {
    expect(requestPolicy(model, options)).toEqual({ policy: shared, record: undefined, feedback: false })
  }
  expect(own).toEqual([])
})
