import { InvalidArgumentError } from '@dpllm/core'
import type { LinearInfo } from '@dpllm/runtime'

/**
 * Whole bits for each linear whose parameter-weighted mean is as near to that of `means` as rounding lets it: each linear
 * reads the whole number below or above its mean, those with the largest remainder above, as long as that comes nearer.
 * @param means bits that each linear read in the mean
 */
export function roundedBits(linears: readonly Pick<LinearInfo, 'rows' | 'cols'>[], means: ArrayLike<number>): number[] {
  if (means.length !== linears.length) throw new InvalidArgumentError('means', `${linears.length} numbers`, means.length)
  const sizes = linears.map(({ rows, cols }) => rows * cols)
  const bits = Array.from(means, Math.floor)
  const remainder = (i: number) => means[i] - Math.floor(means[i])
  let missing = bits.reduce((sum, _, i) => sum + remainder(i) * sizes[i], 0)
  const order = bits.map((_, i) => i).sort((a, b) => remainder(b) - remainder(a) || a - b)
  for (const i of order) {
    if (remainder(i) === 0 || Math.abs(missing - sizes[i]) >= Math.abs(missing)) continue
    bits[i]++
    missing -= sizes[i]
  }
  return bits
}
