/** Bits by shade, in steps of a half bit for the legend. */
export interface BitScale {
  readonly least: number
  readonly most: number
  /** From 0 for the fewest bits to 1 for the most. */
  readonly part: (bits: number) => number
  /** What a legend shows. */
  readonly steps: readonly number[]
}

/** A scale over whole bits that holds all values, at least two bits wide: small differences should look small. */
export function bitScale(values: Iterable<number>): BitScale {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  const least = Math.floor(low)
  const most = Math.max(Math.ceil(high), least + 2)
  const part = (bits: number) => Math.min(Math.max((bits - least) / (most - least), 0), 1)
  const step = most - least > 4 ? 1 : 0.5
  return { least, most, part, steps: Array.from({ length: (most - least) / step + 1 }, (_, i) => least + i * step) }
}
