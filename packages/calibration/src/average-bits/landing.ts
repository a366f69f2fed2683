import { meanBits } from '@dpllm/runtime'
import { type AveragedLinear, averageBitsOf } from './parametrization.js'

/**
 * Shifts all z by the same amount, so that the mean bits are the target: the penalty of the training loss only pulls them
 * near it. The order of the linears by σ(z) stays.
 * @param z finite, [linears]
 * @param targetBits strictly between the means of the linears' `minBits` and `maxBits`
 * @returns f64 [linears], whose mean bits differ from the target by f64 rounding only
 */
export function landOnTarget(linears: readonly AveragedLinear[], z: ArrayLike<number>, targetBits: number): Float64Array {
  const shiftedBy = (shift: number) => Float64Array.from(z, (value) => value + shift)
  const isBelow = (shift: number) => meanBits(linears, averageBitsOf(linears, shiftedBy(shift))) < targetBits
  // The mean rises with the shift, from one end of the range to the other.
  let [low, high] = [-1, 1]
  while (!isBelow(low)) low *= 2
  while (isBelow(high)) high *= 2
  for (;;) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) return shiftedBy(high)
    if (isBelow(middle)) low = middle
    else high = middle
  }
}
