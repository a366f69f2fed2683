import { FileFormatError } from '@dpllm/core'
import { z } from 'zod'
import type { SweepResult } from '../sweep/sweep-result.js'

const number = z.number()
const mean = z.object({ mean: number, standardError: number })
const spread = z.object({
  mean: number,
  percentiles: z.object({ 1: number, 50: number, 90: number, 99: number }),
})

/** What the report takes from `dpllm eval ppl --json`, with --reference or without. */
const perplexityValue = z.object({
  perplexity: number,
  standardError: number.optional(),
  effectiveBits: number,
  tokens: number,
  protocol: z.string(),
  contextLength: number,
  chunkLosses: z.array(number).optional(),
  klDivergence: mean.optional(),
  topAgreement: mean.optional(),
})

/** … from `dpllm eval task --json`. */
const taskValue = z.object({
  effectiveBits: number,
  samples: number,
  scores: z.array(z.object({ metric: z.string(), value: number, standardError: number })),
})

/** … from `dpllm eval bits --json`. */
const bitsValue = spread.extend({ effectiveBits: z.array(number), maxTokens: number })

const histogram = z.object({
  linears: z.array(z.string()),
  weights: z.array(number),
  bucketTokens: number,
  bits: z.array(number),
  counts: z.array(z.array(z.array(number))),
})

/** … from `dpllm eval latency --json`. */
const latencyValue = z.object({
  maxTokens: number,
  targets: z.array(
    z.object({
      targetBits: number.nullable(),
      timeToFirstTokenMs: spread,
      timePerTokenMs: spread,
      tokensPerSecond: spread,
      effectiveBits: spread,
      selectorOverhead: z.object({ timeRatio: z.object({ median: number, low: number, high: number }) }).nullable(),
      histogram: histogram.nullable(),
      requests: z.array(z.unknown()),
      answers: z.array(z.object({ prompt: z.string(), tokens: z.array(z.object({ text: z.string(), bits: number })) })),
    }),
  ),
})

/** What was measured, and by which command. */
export type Subject = Pick<
  SweepResult,
  'model' | 'tables' | 'method' | 'label' | 'memoryBudget' | 'targetBits' | 'dataset' | 'command'
>

export type PerplexityMeasurement = Subject & z.infer<typeof perplexityValue>
/** One score of a task. */
export type ScoreMeasurement = Subject &
  z.infer<typeof taskValue>['scores'][number] & { readonly effectiveBits: number; readonly samples: number }
export type RequestBitsMeasurement = Subject & z.infer<typeof bitsValue>
export type LatencyMeasurement = Subject & z.infer<typeof latencyValue>['targets'][number] & { readonly maxTokens: number }
export type BitHistogramOf = z.infer<typeof histogram>

/** All that a report is made of, by kind, in the order of the results. */
export interface Measurements {
  readonly perplexities: readonly PerplexityMeasurement[]
  readonly scores: readonly ScoreMeasurement[]
  readonly requestBits: readonly RequestBitsMeasurement[]
  readonly latencies: readonly LatencyMeasurement[]
}

/** @throws FileFormatError naming the result whose value is not what its command prints */
export function readMeasurements(results: readonly SweepResult[]): Measurements {
  const of = <T>(kind: SweepResult['kind'], schema: z.ZodType<T>) =>
    results
      .filter((result) => result.kind === kind)
      .map((result) => ({ subject: subjectOf(result), value: parse(schema, result) }))
  return {
    perplexities: of('perplexity', perplexityValue).map(({ subject, value }) => ({ ...subject, ...value })),
    scores: of('task', taskValue).flatMap(({ subject, value: { scores, effectiveBits, samples } }) =>
      scores.map((score) => ({ ...subject, ...score, effectiveBits, samples })),
    ),
    requestBits: of('bits', bitsValue).map(({ subject, value }) => ({ ...subject, ...value })),
    latencies: of('latency', latencyValue).flatMap(({ subject, value: { targets, maxTokens } }) =>
      targets.map((target) => ({ ...subject, ...target, maxTokens })),
    ),
  }
}

function subjectOf({ model, tables, method, label, memoryBudget, targetBits, dataset, command }: SweepResult): Subject {
  return { model, tables, method, label, memoryBudget, targetBits, dataset, command }
}

function parse<T>(schema: z.ZodType<T>, { key, value }: SweepResult): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [{ message, path }] = parsed.error.issues
  throw new FileFormatError(`results/${key}.json`, message, { item: ['value', ...path].join('.') })
}
