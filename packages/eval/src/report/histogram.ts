import type { BitHistogramOf } from './measurements.js'

/** Mean bits that a linear read, of all answers. */
export interface LinearBits {
  readonly module: string
  readonly weights: number
  /** Of the whole answer; undefined if it read nothing. */
  readonly mean: number
  /** By equal parts of the answer. */
  readonly parts: readonly { readonly first: number; readonly last: number; readonly mean: number }[]
}

/** Means from the counts of a histogram; linears and parts that counted nothing are left out. */
export function linearBits({ linears, weights, bits, counts, bucketTokens }: BitHistogramOf): LinearBits[] {
  return linears.flatMap((module, i) => {
    const buckets = counts[i] ?? []
    const mean = meanBits(
      bits,
      bits.map((_, k) => buckets.reduce((sum, bucket) => sum + (bucket[k] ?? 0), 0)),
    )
    if (mean === undefined) return []
    const parts = buckets.flatMap((bucket, j) => {
      const part = meanBits(bits, bucket)
      return part === undefined ? [] : [{ first: j * bucketTokens + 1, last: (j + 1) * bucketTokens, mean: part }]
    })
    return [{ module, weights: weights[i] ?? 1, mean, parts }]
  })
}

function meanBits(bits: readonly number[], counts: readonly number[]): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return total > 0 ? counts.reduce((sum, count, i) => sum + count * bits[i], 0) / total : undefined
}
