import type { SweepResult } from '../sweep/sweep-result.js'

/** What a model might be called, or say, to break out of the text that it stands in. */
export const hostile = '</script><img src=x onerror="window.hacked=1"><svg onload=window.hacked=1>\u202e\'"&amp;'

const chunks = 8
/** Losses of chunks: all methods find the same ones hard. */
const chunkLosses = (loss: number): number[] => Array.from({ length: chunks }, (_, i) => loss + 0.2 * Math.sin(i))

type Setting = Pick<SweepResult, 'method' | 'label' | 'tables' | 'memoryBudget' | 'targetBits'>
const none = { tables: null, memoryBudget: null, targetBits: null }

const settings: readonly Setting[] = [
  { ...none, method: 'unquantized', label: 'unquantized' },
  ...['plain', 'tuned'].flatMap((tables): Setting[] => [
    ...[3, 4, 5].map((targetBits) => ({ method: 'uniform', label: 'uniform', tables, memoryBudget: null, targetBits })),
    ...[3.5, 4, 4.5].flatMap((targetBits) => [
      { method: 'budget', label: 'budget', tables, memoryBudget: 5, targetBits },
      { method: 'dp-llm', label: 'DP-LLM', tables, memoryBudget: 5, targetBits },
      { method: 'dp-llm', label: 'DP-LLM, exact', tables, memoryBudget: 5, targetBits },
    ]),
  ]),
]

/** What methods lose at the same bits. */
const penalties: Readonly<Record<string, number>> = { budget: 0, 'dp-llm': 0.01, uniform: 0.05 }

/** Results of a small sweep, with every kind of measurement. Made up: higher bits are better and slower. */
export function exampleResults({ model = 'tiny', label = 'budget', token = ' cat' } = {}): SweepResult[] {
  return settings.flatMap((given, i) => {
    const setting = { ...given, label: given.label === 'budget' ? label : given.label }
    const flag = setting.method === 'uniform' ? 'precision' : 'target-bits'
    const bits = setting.targetBits === null ? '' : ` --${flag} ${setting.targetBits}`
    const effectiveBits = setting.targetBits ?? 32
    const make = (kind: SweepResult['kind'], dataset: string, value: SweepResult['value'], command: string): SweepResult => ({
      ...{
        format: 'dpllm-sweep-result',
        version: 1,
        key: `${String(i).padStart(3, '0')}-${kind}`,
        kind,
        model,
        dataset,
        ...setting,
      },
      ...{ command: `dpllm eval ${command} ${setting.tables ?? 'original'}${bits}`, deterministic: kind !== 'latency', value },
      provenance: { version: '0.0.0', inputs: {} },
    })
    const quality =
      1.4 +
      (setting.method === 'unquantized'
        ? 0
        : (setting.tables === 'tuned' ? 2 : 4) / effectiveBits ** 2 + penalties[setting.method])
    return [
      make('perplexity', 'stories', perplexityValue(quality, effectiveBits), 'ppl'),
      make(
        'task',
        'questions',
        { effectiveBits, samples: 40, scores: [{ metric: 'acc', value: 1.2 / quality - 0.3, standardError: 0.05 }] },
        'task',
      ),
      make('latency', 'prompts', latencyValue(setting, effectiveBits, token), 'latency'),
    ]
  })
}

function perplexityValue(loss: number, effectiveBits: number): SweepResult['value'] {
  const losses = chunkLosses(loss)
  const perplexity = Math.exp(losses.reduce((sum, value) => sum + value, 0) / chunks)
  return {
    perplexity,
    standardError: 0.05,
    effectiveBits,
    tokens: 2048,
    chunks,
    protocol: 'papers',
    contextLength: 256,
    chunkLosses: losses,
  }
}

const spread = (mean: number) => ({
  mean,
  standardDeviation: 0.1,
  median: mean,
  percentiles: { 1: 0.9 * mean, 50: mean, 90: 1.05 * mean, 99: 1.1 * mean },
})

function latencyValue({ method, targetBits }: Setting, effectiveBits: number, token: string): SweepResult['value'] {
  const decides = method === 'budget' || method === 'dp-llm'
  const tokens = Array.from({ length: 24 }, (_, i) => ({
    text: i === 5 ? token : i === 11 ? '.\n' : ` w${i}`,
    bits: decides ? effectiveBits + 0.4 * Math.sin(i) : effectiveBits,
  }))
  const target = {
    ...{
      targetBits,
      method,
      timeToFirstTokenMs: spread(20),
      timePerTokenMs: spread(effectiveBits),
      tokensPerSecond: spread(1000 / effectiveBits),
      effectiveBits: spread(effectiveBits),
    },
    selectorOverhead: decides ? { timeRatio: { median: 1.02, low: 1.01, high: 1.03 } } : null,
    histogram: method === 'unquantized' ? null : histogram(effectiveBits),
    requests: [{}, {}],
    answers: [{ prompt: 'The dog and the', tokens }],
  }
  return { maxTokens: 24, targets: [target] }
}

const modules = [
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
]

/** Three buckets of eight steps, whose bits are the two numbers beside the mean. */
function histogram(mean: number) {
  const linears = Array.from({ length: 4 }, (_, layer) => modules.map((module) => `model.layers.${layer}.${module}`)).flat()
  const bits = [3, 4, 5]
  const low = Math.min(Math.max(Math.floor(mean), 3), 5)
  const counts = linears.map((_, i) =>
    [0, 1, 2].map((bucket) => {
      const above = low === 5 ? 0 : (i + bucket) % 5
      return bits.map((b) => (b === low ? 8 - above : b === low + 1 ? above : 0))
    }),
  )
  return { linears, weights: linears.map(() => 64), bucketTokens: 8, bits, counts }
}
