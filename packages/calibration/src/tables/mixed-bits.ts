import type { Random } from '@dpllm/core'

/** Bit counts that a linear can be read at. */
export interface BitLimits {
  readonly minBits: number
  readonly maxBits: number
}

/**
 * Average bits that steps are drawn at, and how often: mostly mixtures, as policies read them, in which a table learns
 * beside neighbours of other bit counts. 5 bits alone have a part of their own: beside linears of 4 bits, tables of 5
 * would learn to make up for those.
 */
const contexts = [
  { averageBits: 3, weight: 0.2 },
  { averageBits: 3.4, weight: 0.2 },
  { averageBits: 3.7, weight: 0.15 },
  { averageBits: 4, weight: 0.2 },
  { averageBits: 4.5, weight: 0.1 },
  { averageBits: 5, weight: 0.15 },
]

/**
 * Average bits of a step, drawn among those between the fewest and most bits that are tuned; where there are none, one
 * of `bits` itself.
 * @param bits ascending
 */
export function drawAverageBits(random: Random, bits: readonly number[]): number {
  const [least, most] = [bits[0], bits[bits.length - 1]]
  const possible = contexts.filter(({ averageBits: t }) => Math.floor(t) >= least && Math.ceil(t) <= most)
  if (possible.length === 0) return bits[Math.floor(random.uniform() * bits.length)]
  let left = random.uniform() * possible.reduce((sum, { weight }) => sum + weight, 0)
  for (const { averageBits, weight } of possible) {
    left -= weight
    if (left < 0) return averageBits
  }
  return possible[possible.length - 1].averageBits
}

/** Bits of each linear, by chance the whole number below or above `averageBits`, within what the linear has. */
export function drawBits(random: Random, averageBits: number, linears: readonly BitLimits[]): number[] {
  const low = Math.floor(averageBits)
  return linears.map(({ minBits, maxBits }) => {
    const bits = low + (random.uniform() < averageBits - low ? 1 : 0)
    return Math.min(Math.max(bits, minBits), maxBits)
  })
}
