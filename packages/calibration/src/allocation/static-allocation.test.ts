import { createRandom } from '@dpllm/core'
import { describe, expect, test } from 'vitest'
import { fisherCosts, hawqV2Costs, hawqV2MeanCosts, llmMqCosts, lsaqCosts } from './cost-tables.js'
import type { QuantizationErrors } from './quantization-errors.js'
import { lsaqLevels, type StaticMethod, staticAllocation } from './static-allocation.js'

describe('costs', () => {
  // W = (1, 2, 3, 4), W_3 = (1.5, 2, 2, 4), W_4 = (1, 2, 3.5, 4); F = (4, 1, 2, 0); g = (1, 5, 1, −2).
  const errors: QuantizationErrors = {
    module: 'model.layers.1.mlp.up_proj',
    weights: 4,
    minBits: 3,
    squared: Float64Array.of(1.25, 0.25),
    weighted: Float64Array.of(4 * 0.25 + 2 * 1, 2 * 0.25),
    trace: 7,
    firstOrder: Float64Array.of(-0.5 + 1, -0.5),
  }

  test('of every baseline on a worked example', () => {
    expect([...fisherCosts(errors)]).toEqual([3, 0.5])
    expect([...llmMqCosts(errors)]).toEqual([0.5, 0.5])
    expect([...hawqV2Costs(errors)]).toEqual([8.75, 1.75])
    expect([...hawqV2MeanCosts(errors)]).toEqual([8.75 / 4, 1.75 / 4])
    expect([...lsaqCosts(errors, 0.5)]).toEqual([0.625, 0.125])
  })

  test('that need what was not measured are refused', () => {
    const { weighted: _, trace: __, firstOrder: ___, ...bare } = errors
    for (const costs of [fisherCosts, hawqV2Costs, hawqV2MeanCosts])
      expect(() => costs(bare)).toThrow(/expected measured with sensitivities/)
    expect(() => llmMqCosts(bare)).toThrow(/expected measured with gradients/)
    expect(() => staticAllocation([bare], 'lsaq', { targetBits: 4 })).toThrow(/importance: expected that of every block/)
    expect(() => staticAllocation([bare], 'lsaq', { targetBits: 4, importance: [1] })).toThrow(
      /importance: expected of more than 1/,
    )
    expect(() => staticAllocation([{ ...bare, module: 'lm_head' }], 'lsaq', { targetBits: 4, importance: [1] })).toThrow(
      /module:/,
    )
  })
})

describe('a static baseline', () => {
  /** Six blocks with the shapes of stories15M. */
  const random = createRandom(9)
  const names = [
    'self_attn.q_proj',
    'self_attn.k_proj',
    'self_attn.v_proj',
    'self_attn.o_proj',
    'mlp.gate_proj',
    'mlp.up_proj',
    'mlp.down_proj',
  ]
  const errors = Array.from({ length: 42 }, (_, i): QuantizationErrors => {
    const scale = Math.exp(random.normal())
    const squared = Float64Array.from([3, 4, 5, 6], (b) => scale * 4 ** -b)
    return {
      module: `model.layers.${Math.floor(i / 7)}.${names[i % 7]}`,
      weights: (i % 7 < 4 ? 288 : 768) * 288,
      minBits: 3,
      squared,
      weighted: squared.map((error) => error * (0.5 + random.uniform())),
      trace: Math.exp(random.normal()),
      firstOrder: squared.map((error) => Math.sqrt(error) * random.normal()),
    }
  })
  const maxBits = errors.map((_, i) => [4, 5, 6][i % 3])
  const importance = [0.2, 0.9, 0.4, 0.4, 0.5, 0.8]
  const methods: StaticMethod[] = ['static', 'llm-mq', 'hawq-v2', 'hawq-v2-mean', 'lsaq']

  test.each(methods)('%s hits its targets within 0.005 bits, with no linear above its most bits', (method) => {
    const found = [3.25, 3.5, 3.75, 4, 4.25, 4.5].map((targetBits) => {
      const { bits, averageBits, hit } = staticAllocation(errors, method, { targetBits, maxBits, importance })
      expect(hit).toBe(true)
      expect(Math.abs(averageBits - targetBits)).toBeLessThan(0.005 + 1e-9)
      expect(bits.every((b, i) => b >= 3 && b <= maxBits[i])).toBe(true)
      return bits.join()
    })
    expect(new Set(found).size).toBe(found.length)
  })

  test('they are different baselines', () => {
    const found = methods.map((method) => staticAllocation(errors, method, { targetBits: 4, importance }).bits.join())
    expect(new Set(found).size).toBe(methods.length)
  })

  test('LSAQ gives all linears of its most important blocks the upper level', () => {
    const linears = errors.map(({ module, weights, minBits }) => ({ module, weights, minBits, maxBits: 6 }))
    const { bits, averageBits } = lsaqLevels(linears, importance, 3.5)
    expect(bits).toEqual(Array.from({ length: 42 }, (_, i) => ([1, 4, 5].includes(Math.floor(i / 7)) ? 4 : 3)))
    expect(averageBits).toBe(3.5)
    const capped = lsaqLevels(
      linears.map((linear, i) => ({ ...linear, maxBits: maxBits[i] })),
      importance,
      4.5,
    )
    expect(capped.bits.every((b, i) => b <= maxBits[i])).toBe(true)
    expect(capped.averageBits).toBeLessThan(4.5)
    expect(() => lsaqLevels(linears, [1, 1], 3.5)).toThrow(/importance: expected of more than 2 blocks/)
  })
})
