import { InvalidArgumentError } from '@dpllm/core'

/**
 * The q-quantile of values, linear between order statistics: position q·(n − 1) of the sorted values (type 7 of
 * Hyndman and Fan 1996; what `torch.quantile` computes and DP-LLM's thresholds use).
 * @param values at least one number; not changed
 * @param q from 0 to 1
 * @throws InvalidArgumentError
 */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) throw new InvalidArgumentError('values', 'at least one value', 'none')
  return sortedQuantile(Float64Array.from(values).sort(), q)
}

/** The same of values that are sorted. */
export function sortedQuantile(sorted: ArrayLike<number>, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new InvalidArgumentError('q', 'a number from 0 to 1', q)
  const position = q * (sorted.length - 1)
  const below = Math.floor(position)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (position - below) * (sorted[above] - sorted[below])
}
