/** The value that `percent` percent of the values are not above, linear between neighbours. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = (percent / 100) * (sorted.length - 1)
  const [low, high] = [Math.floor(place), Math.ceil(place)]
  return sorted[low] + (place - low) * (sorted[high] - sorted[low])
}
