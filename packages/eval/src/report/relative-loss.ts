import { type Mean, meanOf } from '../perplexity/statistics.js'
import type { PerplexityMeasurement } from './measurements.js'

type Losses = Pick<PerplexityMeasurement, 'chunkLosses' | 'protocol' | 'contextLength' | 'tokens'>

/**
 * How much higher a perplexity is than another of the same text, as a part of that: exp of the mean difference of their
 * chunks' losses, minus 1. Its standard error is to first order that of the mean times the ratio.
 * @returns undefined if they are not of the same chunks, or their losses were not kept
 */
export function relativeLoss(baseline: Losses, item: Losses): Mean | undefined {
  const [before, after] = [baseline.chunkLosses, item.chunkLosses]
  const same = (['protocol', 'contextLength', 'tokens'] as const).every((key) => baseline[key] === item[key])
  if (!same || before === undefined || after === undefined || before.length === 0 || before.length !== after.length)
    return undefined
  const { mean, standardError } = meanOf(before.map((loss, i) => after[i] - loss))
  return { mean: Math.expm1(mean), standardError: Math.exp(mean) * standardError }
}
