import { staticPolicy } from '@dpllm/core'
import type { Distillation } from './distillation.js'
import { drawBits } from './mixed-bits.js'
import { drawsOf } from './step-draws.js'
import { limitsOf } from './train.js'

/** Mean KL divergence from the original on held-out windows, in nats for each token, by average bits. */
export type Divergences = Readonly<Record<string, number>>

/** Average bits that are measured: each bit count alone, and between each two neighbours. */
export function measuredBits(bits: readonly number[]): number[] {
  return bits.flatMap((b, i) => (bits[i + 1] === b + 1 ? [b, b + 0.5] : [b]))
}

/**
 * Measures the student at every one of these average bits. For one between whole numbers every linear reads one of both
 * by chance, always the same.
 */
export async function measureDivergences(
  distillation: Distillation,
  windows: readonly Uint32Array[],
  averageBits: readonly number[],
  seed: number,
  onWindows?: (done: number) => void,
): Promise<Divergences> {
  const limits = distillation.linears.map((name) => limitsOf(distillation, name))
  const policies = averageBits.map((t, i) => staticPolicy(drawBits(drawsOf(seed, 'heldOut', i), t, limits)))
  const sums = averageBits.map(() => 0)
  for (const [i, window] of windows.entries()) {
    const divergences = await distillation.divergences(window, policies)
    divergences.forEach((divergence, j) => {
      sums[j] += divergence / windows.length
    })
    onWindows?.(i + 1)
  }
  return Object.fromEntries(averageBits.map((t, i) => [String(t), sums[i]]))
}

/** Whether training made a bit count better. (Tables that give no finite number did not.) */
export function helped(before: Divergences, after: Divergences, bits: number): boolean {
  return after[bits] < before[bits]
}
