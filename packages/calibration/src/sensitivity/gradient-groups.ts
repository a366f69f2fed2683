import type { ProgramLinear } from './linears.js'

/**
 * Cuts linears into groups whose gradients, f32 [rows, cols] each, fit in `budget` bytes; a larger linear is a group of its
 * own. The last linears come first: the way back from the loss to them is short.
 * @param linears in the order of the program
 */
export function gradientGroups<T extends Pick<ProgramLinear, 'rows' | 'cols'>>(linears: readonly T[], budget: number): T[][] {
  const groups: T[][] = []
  let room = 0
  for (const linear of linears.toReversed()) {
    const bytes = Float32Array.BYTES_PER_ELEMENT * linear.rows * linear.cols
    if (groups.length === 0 || bytes > room) {
      groups.push([])
      room = budget
    }
    groups[groups.length - 1].push(linear)
    room -= bytes
  }
  return groups
}
