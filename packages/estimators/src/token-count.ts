import { InvalidArgumentError } from '@dpllm/core'

/** n of x f32 [n, cols]. @throws InvalidArgumentError unless it is whole rows of `cols` */
export function tokenCount(x: Float32Array, cols: number): number {
  if (!(Number.isInteger(cols) && cols >= 1)) throw new InvalidArgumentError('cols', 'a positive integer', cols)
  if (x.length % cols !== 0) throw new InvalidArgumentError('x', `[tokens, ${cols}]`, `${x.length} elements`)
  return x.length / cols
}
