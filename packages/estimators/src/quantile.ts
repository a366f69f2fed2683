/**
 * The q-quantile of values, linear between order statistics: position q·(n − 1) of the sorted values (type 7 of
 * Hyndman and Fan 1996; what `torch.quantile` computes and DP-LLM's thresholds use).
 * @param values at least one number; not changed
 * @param q from 0 to 1
 */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) throw new RangeError('quantile: expected at least one value, found none')
  if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile: expected q from 0 to 1, found ${q}`)
  const sorted = Float64Array.from(values).sort()
  const position = q * (sorted.length - 1)
  const below = Math.floor(position)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (position - below) * (sorted[above] - sorted[below])
}
