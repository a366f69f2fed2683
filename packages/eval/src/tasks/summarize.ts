import { meanOf } from '../perplexity/statistics.js'
import type { SampleResult } from './answer.js'
import type { Metric } from './task.js'

/** One figure of a task. */
export interface Score {
  readonly metric: string
  readonly value: number
  readonly standardError: number
}

/** The figures of some samples. */
export interface GroupSummary {
  readonly samples: number
  readonly scores: readonly Score[]
}

/** The figures of a task. */
export interface TaskSummary extends GroupSummary {
  /** Of parts of the task, by name; none if it has none. */
  readonly groups: Readonly<Record<string, GroupSummary>>
  /** Mean bits that generated (scored) tokens read. */
  readonly effectiveBits: number
  /** Generated, or scored. */
  readonly tokens: number
  /** Samples whose prompt lost its beginning to fit the context: their scores say little. */
  readonly truncated: number
}

/** The mean over all samples, which for tasks with parts is their mean weighted by size, and over those of each part. */
export function summarize(metrics: readonly Metric[], results: readonly SampleResult[]): TaskSummary {
  const names = [...new Set(results.flatMap(({ group }) => (group === undefined ? [] : [group])))].sort()
  const tokens = results.reduce((sum, result) => sum + result.tokens, 0)
  return {
    ...summary(metrics, results),
    groups: Object.fromEntries(
      names.map((name) => [
        name,
        summary(
          metrics,
          results.filter(({ group }) => group === name),
        ),
      ]),
    ),
    effectiveBits: results.reduce((sum, result) => sum + result.effectiveBits * result.tokens, 0) / tokens,
    tokens,
    truncated: results.filter((result) => result.truncated).length,
  }
}

function summary(metrics: readonly Metric[], results: readonly SampleResult[]): GroupSummary {
  return { samples: results.length, scores: metrics.map((metric) => score(metric, results)) }
}

function score({ name, aggregate }: Metric, results: readonly SampleResult[]): Score {
  const { mean, standardError } = meanOf(results.map(({ scores }) => scores[name]))
  if (aggregate === 'mean') return { metric: name, value: mean, standardError }
  // To first order, the error of exp(−m) is that of m times exp(−m).
  const value = Math.exp(-mean)
  return { metric: name, value, standardError: value * standardError }
}
