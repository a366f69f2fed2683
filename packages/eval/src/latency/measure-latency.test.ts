import type { Step } from '@dpllm/core'
import type { GenerateOptions, GeneratePart, LinearInfo } from '@dpllm/runtime'
import { expect, test } from 'vitest'
import { type LatencyModel, measureLatency } from './measure-latency.js'

const linears: LinearInfo[] = [
  { module: 'a', rows: 1, cols: 1, minBits: 3, maxBits: 5 },
  { module: 'b', rows: 1, cols: 3, minBits: 3, maxBits: 5 },
]
const probe = { kind: 'probe', weights: { dtype: 'f32', shape: [1], data: Float32Array.of(0) }, bias: 0 } as const

/**
 * Letters are tokens. Token t of an answer reads 3 bits of `a`, and 4 + t % 2 of `b` at a target of 4.25, else the target's;
 * the first token comes after as many milliseconds as the prompt has tokens, each other after 2.
 */
function fake() {
  const asked: { prompt: string; options: GenerateOptions }[] = []
  const steps: Step[] = []
  const bitsAt = (t: number, target: number | undefined) =>
    target === 4.25 ? Uint8Array.of(3, 4 + (t % 2)) : Uint8Array.of(target ?? 5, target ?? 5)
  const effectiveBits = (bits: Uint8Array) => (bits[0] + 3 * bits[1]) / 4
  const model: LatencyModel = {
    config: { contextLength: 99 } as LatencyModel['config'],
    linears,
    tokenizer: {
      encode: (text: string) => Uint32Array.from(text, (letter) => letter.charCodeAt(0)),
      decode: (ids: ArrayLike<number>) => String.fromCharCode(...Array.from(ids)),
    } as LatencyModel['tokenizer'],
    precision: ({ targetBits }) => ({
      policy:
        targetBits === undefined
          ? undefined
          : { estimators: targetBits === 4.25 ? [probe, probe] : [{ kind: 'none' }], thresholds: Float32Array.of(targetBits) },
      prefillPolicy: undefined,
      ...(targetBits !== undefined && { method: targetBits === 4.25 ? 'budget' : 'uniform' }),
    }),
    effectiveBits,
    createCache: (capacity) => ({ capacity, [Symbol.dispose]: () => {} }),
    run: async (step) => {
      steps.push(step)
      const { estimators, thresholds } = step.policy!
      // What a static policy of two linears decides shows in its thresholds, 5 of each: those at −∞ are passed.
      const passed = (i: number) => 3 + thresholds.subarray(5 * i, 5 * i + 5).filter((t) => t === Number.NEGATIVE_INFINITY).length
      const bits = estimators[0].kind === 'none' ? Uint8Array.of(passed(0), passed(1)) : bitsAt(step.position, 4.25)
      return { outputs: {}, bits, estimates: new Float32Array(2) }
    },
    async *generate(prompt, options = {}) {
      asked.push({ prompt: String.fromCharCode(...(prompt as Uint32Array)), options })
      let sum = 0
      for (let t = 0; t < options.maxTokens!; t++) {
        const linearBits = bitsAt(t, options.targetBits)
        const bits = t === 0 ? 5 : effectiveBits(linearBits)
        if (t > 0) sum += bits
        const timings = { timeToFirstTokenMs: prompt.length, tokensPerSecond: t === 0 ? 0 : 500 }
        const part = { text: 'xyz'[t % 3], token: t, logprob: 0, bits, effectiveBits: t === 0 ? 5 : sum / t, timings }
        yield { ...part, ...(t > 0 && { linearBits }), promptTokens: prompt.length } as unknown as GeneratePart
      }
    },
  }
  return { model, asked, steps }
}

test('every precision answers each prompt, by turns, and the first round does not count', async () => {
  const { model, asked } = fake()
  const requests = [{ targetBits: 4.25 }, { targetBits: 3 }, {}]
  const { maxTokens, targets } = await measureLatency(model, ['ab', 'abcdefgh'], { requests, maxTokens: 5, promptTokens: 6 })
  expect(maxTokens).toBe(5)
  expect(asked.map(({ prompt }) => prompt)).toEqual([...Array(6).fill('ab'), ...Array(3).fill('abcdef')])
  for (let round = 0; round < 3; round++) {
    const of = asked.slice(3 * round, 3 * round + 3).map(({ options }) => options.targetBits)
    expect(new Set(of)).toEqual(new Set([4.25, 3, undefined]))
  }
  expect(asked.every(({ options }) => options.ignoreEos && options.maxTokens === 5)).toBe(true)
  expect(targets.map(({ targetBits, method }) => [targetBits, method])).toEqual([
    [4.25, 'budget'],
    [3, 'uniform'],
    [null, null],
  ])
  const [budget, uniform] = targets
  expect(budget.timeToFirstTokenMs).toMatchObject({ mean: 4, median: 4, standardDeviation: Math.sqrt(8) })
  expect(budget.timePerTokenMs).toMatchObject({ mean: 2, standardDeviation: 0 })
  expect(budget.tokensPerSecond.mean).toBe(500)
  // Steps 1 … 4 read 5, 4, 5, 4 bits of b.
  expect(budget.effectiveBits.mean).toBe((3 + 3 * 4.5) / 4)
  expect(uniform.effectiveBits).toMatchObject({ mean: 3, standardDeviation: 0 })
  expect(budget.requests).toEqual([
    { promptTokens: 2, timeToFirstTokenMs: 2, timePerTokenMs: 2, tokensPerSecond: 500, effectiveBits: 4.125 },
    { promptTokens: 6, timeToFirstTokenMs: 6, timePerTokenMs: 2, tokensPerSecond: 500, effectiveBits: 4.125 },
  ])
})

test('bits of every linear over the answer, and of every token', async () => {
  const { model } = fake()
  const { targets } = await measureLatency(model, ['ab', 'abc'], { requests: [{ targetBits: 4.25 }], maxTokens: 5, texts: 1 })
  const [{ histogram, answers }] = targets
  expect(histogram).toMatchObject({ linears: ['a', 'b'], weights: [1, 3], bucketTokens: 1, bits: [3, 4, 5] })
  expect(histogram!.counts).toEqual([
    Array(4).fill([2, 0, 0]),
    [
      [0, 0, 2],
      [0, 2, 0],
      [0, 0, 2],
      [0, 2, 0],
    ],
  ])
  expect(answers).toEqual([
    {
      prompt: 'ab',
      tokens: [
        { text: 'x', bits: 5 },
        { text: 'y', bits: 4.5 },
        { text: 'z', bits: 3.75 },
        { text: 'x', bits: 4.5 },
        { text: 'y', bits: 3.75 },
      ],
    },
  ])
})

test('the selector is compared with the same mean bits at every token, on the same tokens', async () => {
  const { model, steps } = fake()
  const requests = [{ targetBits: 4.25 }, { targetBits: 3 }]
  const { targets } = await measureLatency(model, ['ab'], { requests, maxTokens: 4, overheadRounds: 3 })
  expect(targets[1].selectorOverhead).toBeNull()
  // Positions 0 … 3 read 4, 5, 4, 5 bits of b: 4.5 in the mean, as near to 4 as to 5, and 4 comes first.
  expect(targets[0].selectorOverhead).toMatchObject({ dynamicBits: (3 + 3 * 4.5) / 4, staticBits: 3.75, tokens: 4 })
  expect(targets[0].selectorOverhead!.timeRatio.median).toBeGreaterThan(0)
  expect(steps.map(({ tokens }) => [...tokens])).toEqual(
    Array(9)
      .fill([[0], [1], [2], [3]])
      .flat(),
  )
  const none = await measureLatency(model, ['ab'], { requests, maxTokens: 4, overheadRounds: 0 })
  expect(none.targets[0].selectorOverhead).toBeNull()
})

test('no prompts, no precisions and answers without a decoded token are refused', async () => {
  const { model } = fake()
  await expect(measureLatency(model, [], { requests: [{}] })).rejects.toThrow(/prompts/)
  await expect(measureLatency(model, ['a'], { requests: [] })).rejects.toThrow(/requests/)
  await expect(measureLatency(model, ['a'], { requests: [{}], maxTokens: 1 })).rejects.toThrow(/maxTokens/)
})
