import { quantile } from '@dpllm/estimators'

/** How figures of single requests are spread. */
export interface Spread {
  readonly mean: number
  /** Of the sample (n − 1); 0 for one request. */
  readonly standardDeviation: number
  readonly median: number
  /** Linear between neighbours. */
  readonly percentiles: { readonly 1: number; readonly 50: number; readonly 90: number; readonly 99: number }
}

/** @throws InvalidArgumentError for no values */
export function spreadOf(values: readonly number[]): Spread {
  const at = (percent: number) => quantile(values, percent / 100)
  const percentiles = { 1: at(1), 50: at(50), 90: at(90), 99: at(99) }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, standardDeviation: Math.sqrt(squares / Math.max(values.length - 1, 1)), median: percentiles[50], percentiles }
}
