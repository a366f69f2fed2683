import { createRandom, type Random } from '@dpllm/core'

/** What draws are for: each purpose has numbers of its own. */
const purposes = { step: 0x9e3779b1, epoch: 0x85ebca77, heldOut: 0xc2b2ae3d }

/**
 * Random numbers that depend on nothing but the seed, the purpose and a number (of the step, say), so that a run that is
 * resumed draws what it would have drawn.
 */
export function drawsOf(seed: number, purpose: keyof typeof purposes, number: number): Random {
  return createRandom(createRandom(seed).uint32() ^ Math.imul(number + 1, purposes[purpose]))
}

/**
 * Indices of the windows of step `step`: `batch` of `count`, which are gone through in an order of their own for every
 * epoch.
 */
export function windowsOfStep(step: number, batch: number, count: number, seed: number): number[] {
  return Array.from({ length: batch }, (_, i) => {
    const position = step * batch + i
    return shuffled(count, drawsOf(seed, 'epoch', Math.floor(position / count)))[position % count]
  })
}

/** 0 … count − 1 in random order (Fisher and Yates). */
function shuffled(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1))
    const swapped = order[i]
    order[i] = order[j]
    order[j] = swapped
  }
  return order
}
