import type { LinearInfo } from '@dpllm/runtime'

/** Equal parts of an answer that are counted apart; the last may be shorter. */
const BUCKETS = 10

/** How often each linear read how many bits, by where in the answer: counts are over requests and the tokens of a bucket. */
export interface BitHistogram {
  /** Modules, in the model's order. */
  readonly linears: readonly string[]
  /** Weights of each: what it counts for in effective bits. */
  readonly weights: readonly number[]
  /** Decode steps of a bucket: bucket j holds steps j · bucketTokens and on. */
  readonly bucketTokens: number
  /** Of the innermost counts, ascending. */
  readonly bits: readonly number[]
  /** [linears][buckets][bits] */
  readonly counts: readonly (readonly (readonly number[])[])[]
}

/** Counts the steps of requests. */
export interface BitCounter {
  /** @param step from 0; @param linearBits u8 [linears] */
  add(step: number, linearBits: Uint8Array): void
  histogram(): BitHistogram
}

/** @param steps of the longest answer */
export function createBitCounter(linears: readonly LinearInfo[], steps: number): BitCounter {
  const bucketTokens = Math.max(1, Math.ceil(steps / BUCKETS))
  const least = Math.min(...linears.map(({ minBits }) => minBits))
  const most = Math.max(...linears.map(({ maxBits }) => maxBits))
  const bits = Array.from({ length: most - least + 1 }, (_, i) => least + i)
  const counts = linears.map(() => Array.from({ length: Math.ceil(steps / bucketTokens) }, () => bits.map(() => 0)))
  return {
    add(step, linearBits) {
      const bucket = Math.floor(step / bucketTokens)
      for (let i = 0; i < linears.length; i++) counts[i][bucket][linearBits[i] - least]++
    },
    histogram: () => ({
      linears: linears.map(({ module }) => module),
      weights: linears.map(({ rows, cols }) => rows * cols),
      bucketTokens,
      bits,
      counts: structuredClone(counts),
    }),
  }
}
