import { InvalidArgumentError } from '../errors.js'
import type { BitPlaneWeight } from './weight.js'

/** Two neighbouring bit counts and how much the higher one weighs. */
export interface BitsAround {
  readonly low: number
  readonly high: number
  /** In [0, 1]: W ≈ (1 − fraction) W_low + fraction W_high. */
  readonly fraction: number
}

/**
 * The bit counts around an average p: low = ⌊p⌋ and high = low + 1, but for p = maxBits the two below it, so that
 * fraction = 1 (DP-LLM §4, Algorithm 1). A weight of one bit count has low = high.
 * @throws InvalidArgumentError unless seedBits <= p <= maxBits
 */
export function bitsAround({ seedBits, maxBits }: BitPlaneWeight, p: number): BitsAround {
  if (!(p >= seedBits && p <= maxBits)) throw new InvalidArgumentError('average bits', `${seedBits} to ${maxBits}`, p)
  const low = Math.max(seedBits, Math.min(Math.floor(p), maxBits - 1))
  return { low, high: Math.min(low + 1, maxBits), fraction: p - low }
}
