import { createRandom } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { draw } from './draw.js'
import { greedy } from './greedy.js'
import { minP } from './min-p.js'
import { logSumExp } from './softmax.js'
import { topK } from './top-k.js'
import { topP } from './top-p.js'

const INF = Number.POSITIVE_INFINITY
const logitsOf = (probabilities: number[]) => Float32Array.from(probabilities, Math.log)
const anyLogits = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true })
/** With many equal ones. */
const coarseLogits = fc
  .array(fc.constantFrom(-INF, -1.5, -0, 0, 1, 2), { minLength: 1, maxLength: 50 })
  .map((a) => Float32Array.from(a))

test('logSumExp', () => {
  expect(logSumExp(Float32Array.of(0, 0, -INF))).toBeCloseTo(Math.log(2), 12)
  expect(logSumExp(Float32Array.of(3e38, -3e38))).toBe(Math.fround(3e38))
  expect(logSumExp(Float32Array.of(-1000))).toBe(-1000)
})

test.each<[string, number[]]>([
  ['logit 1 is NaN', [0, Number.NaN]],
  ['logit 0 is Infinity', [INF, 0]],
  ['all are -Infinity', [-INF, -INF]],
  ['there are none', []],
])('broken logits: %s', (message, logits) => {
  expect(() => logSumExp(Float32Array.from(logits))).toThrow(
    expect.objectContaining({ code: 'ERR_DPLLM_LOGITS', message: expect.stringContaining(message) }),
  )
})

test('greedy takes the first of the greatest', () => {
  expect(greedy(Float32Array.of(1, 3, -INF, 3))).toBe(1)
  expect(greedy(Float32Array.of(-INF, -INF, -5))).toBe(2)
})

test('topK is the beginning of a stable sort', () => {
  fc.assert(
    fc.property(fc.oneof(anyLogits, coarseLogits), fc.integer({ min: 1, max: 60 }), (logits, k) => {
      // (a > b) - (a < b), since two infinities have no difference.
      const sorted = [...logits.keys()].sort((a, b) => Number(logits[b] > logits[a]) - Number(logits[b] < logits[a]) || a - b)
      expect([...topK(logits, k)]).toEqual(sorted.slice(0, k))
    }),
    { numRuns: 1000 },
  )
})

test('topK reads an array that begins inside its buffer', () => {
  expect([...topK(Float32Array.of(9, 8, 1, 3, 2).subarray(2), 2)]).toEqual([1, 2])
})

test('topP keeps tokens until their probabilities reach p, at least one', () => {
  const logits = logitsOf([0.5, 0.25, 0.125, 0.125])
  const ids = Uint32Array.of(0, 1, 2, 3)
  const kept = (p: number) => topP(logits, ids, p, 0).length
  expect([1e-9, 0.4, 0.6, 0.8, 0.99].map(kept)).toEqual([1, 1, 2, 3, 4])
  expect(kept(1)).toBe(4)
})

test('minP keeps tokens by their ratio to the most likely one', () => {
  const logits = logitsOf([0.1, 0.6, 0.3, 0])
  const ids = Uint32Array.of(0, 1, 2, 3)
  const kept = (p: number) => [...minP(logits, ids, p)]
  expect(kept(0.1)).toEqual([0, 1, 2])
  expect(kept(0.4)).toEqual([1, 2])
  expect(kept(1)).toEqual([1])
  expect(kept(0)).toEqual([0, 1, 2, 3])
  expect([...minP(logits, Uint32Array.of(0, 2), 0.4)]).toEqual([2])
})

function frequencies(probabilities: number[], temperature: number, draws = 40_000): number[] {
  const logits = logitsOf(probabilities)
  const ids = Uint32Array.from(logits.keys())
  const random = createRandom(7)
  const counts = probabilities.map(() => 0)
  for (let i = 0; i < draws; i++) counts[draw(logits, ids, temperature, random)]++
  return counts.map((count) => count / draws)
}

test('draw follows the probabilities at the temperature', () => {
  // Four standard errors of a frequency over 40000 draws are at most 0.01.
  const close = (found: number[], wanted: number[]) => {
    for (const [i, f] of found.entries()) expect(Math.abs(f - wanted[i])).toBeLessThan(0.01)
  }
  close(frequencies([0.5, 0, 0.3, 0.2], 1), [0.5, 0, 0.3, 0.2])
  close(frequencies([0.8, 0.2], 2), [2 / 3, 1 / 3])
  close(frequencies([0.8, 0.2], 0.5), [16 / 17, 1 / 17])
  expect(frequencies([0.5, 0, 0.3, 0.2], 1)[1]).toBe(0)
})

test('draw at a temperature near 0 takes the most likely, however far apart the logits are', () => {
  expect(draw(Float32Array.of(1, 2, -INF), Uint32Array.of(0, 1, 2), 1e-300, createRandom(0))).toBe(1)
  expect(draw(Float32Array.of(-3e38, 3e38), Uint32Array.of(0, 1), 1, createRandom(0))).toBe(1)
})
