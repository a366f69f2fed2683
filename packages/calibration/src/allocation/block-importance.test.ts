import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blockImportance, jaccard } from './block-importance.js'
import { splitLevels, splitMemory } from './split-levels.js'
import { topTokens } from './top-tokens.js'

const tokens = (...ids: number[]) => Uint32Array.from(ids)

describe('the likeliest tokens', () => {
  test('are those of a whole sort', () => {
    const logit = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.float({ noNaN: true }))
    fc.assert(
      fc.property(fc.array(logit, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 60 }), (values, k) => {
        const logits = Float32Array.from(values)
        const count = Math.min(k, logits.length)
        const order = Array.from(logits, (_, i) => i).sort((a, b) => logits[b] - logits[a] || a - b)
        expect([...topTokens(logits, count)]).toEqual(order.slice(0, count))
      }),
    )
  })

  test('of fewer begin those of more', () => {
    const logits = Float32Array.of(3, 9, 9, -1, 4)
    expect([...topTokens(logits, 4)]).toEqual([1, 2, 4, 0])
    expect([...topTokens(logits, 2)]).toEqual([1, 2])
  })
})

describe('importance', () => {
  test('is what two sets of tokens do not share', () => {
    expect(jaccard(tokens(1, 2, 3), tokens(2, 3, 4))).toBe(0.5)
    expect(jaccard(tokens(1, 2), tokens(2, 1))).toBe(1)
    expect(jaccard(tokens(1, 2), tokens(3, 4))).toBe(0)
    expect(jaccard(tokens(1, 1, 2), tokens(1))).toBe(0.5)
    expect(jaccard(tokens(), tokens())).toBe(1)
  })

  test('is the mean over positions', () => {
    // Similarities 1, 1/3 and 0.
    const inputs = [tokens(1, 2), tokens(1, 2), tokens(1, 2)]
    expect(blockImportance(inputs, [tokens(2, 1), tokens(1, 5), tokens(3, 4)])).toBeCloseTo(1 - 4 / 9, 15)
    expect(blockImportance(inputs, inputs)).toBe(0)
    expect(() => blockImportance(inputs, [])).toThrow(/outputs: expected a set for each position/)
    expect(() => blockImportance([], [])).toThrow(/outputs/)
  })
})

describe('two levels of bits', () => {
  const importance = [0.1, 0.7, 0.3, 0.7, 0.2]

  test('go to the blocks in the order of their importance', () => {
    expect(splitLevels(importance, 3)).toEqual([3, 3, 3, 3, 3])
    expect(splitLevels(importance, 3.2)).toEqual([3, 4, 3, 3, 3])
    expect(splitLevels(importance, 3.4)).toEqual([3, 4, 3, 4, 3])
    expect(splitLevels(importance, 4.6)).toEqual([4, 5, 5, 5, 4])
    expect(splitLevels(importance, 3.95)).toEqual([4, 4, 4, 4, 4])
    expect(() => splitLevels(importance, Number.NaN)).toThrow(/targetBits/)
  })

  test('average the target as closely as whole blocks do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 3, max: 8, noNaN: true }),
        (all, target) => {
          const bits = splitLevels(all, target)
          expect(Math.abs(bits.reduce((a, b) => a + b) / all.length - target)).toBeLessThanOrEqual(0.5 / all.length + 1e-9)
          const least = (level: number) => Math.min(...all.filter((_, i) => bits[i] === level))
          const most = (level: number) => Math.max(...all.filter((_, i) => bits[i] === level))
          if (new Set(bits).size === 2) expect(least(Math.ceil(target))).toBeGreaterThanOrEqual(most(Math.floor(target)))
        },
      ),
    )
  })

  test('fill a memory', () => {
    const levels = { low: 4, high: 8, lowBytes: 100, highBytes: 180 }
    expect(splitMemory(importance, { ...levels, budgetBytes: 500 + 239 })).toEqual([4, 8, 4, 8, 4])
    expect(splitMemory(importance, { ...levels, budgetBytes: 500 + 240 })).toEqual([4, 8, 8, 8, 4])
    expect(splitMemory(importance, { ...levels, budgetBytes: 1e6 })).toEqual([8, 8, 8, 8, 8])
    expect(splitMemory(importance, { ...levels, budgetBytes: 1 })).toEqual([4, 4, 4, 4, 4])
    expect(() => splitMemory(importance, { ...levels, highBytes: 100, budgetBytes: 500 })).toThrow(/highBytes/)
  })
})
