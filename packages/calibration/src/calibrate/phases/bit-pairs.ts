import type { LinearInfo } from '@dpllm/runtime'

/** Two neighbouring bit counts. */
export interface BitPair {
  readonly low: number
  readonly high: number
}

/** The pairs of a linear from its fewest bits to `maxBits`: 3|4, 4|5 … */
export function bitPairs({ minBits }: Pick<LinearInfo, 'minBits'>, maxBits: number): BitPair[] {
  return Array.from({ length: maxBits - minBits }, (_, i) => ({ low: minBits + i, high: minBits + i + 1 }))
}
