import { type Program, UnsupportedError } from '@dpllm/core'

/** A lane of a warp holds every 32nd element of a head in 8 registers (native/kernels/head_vector.cuh). */
export const MAX_HEAD_DIM = 256

/**
 * Checks what the kernels are limited to.
 * @throws UnsupportedError
 */
export function checkLimits(program: Program): void {
  for (const op of program.operators) {
    if ('headDim' in op && op.kind !== 'rope' && op.headDim > MAX_HEAD_DIM)
      throw new UnsupportedError(`heads of ${op.headDim} values: the CUDA backend takes up to ${MAX_HEAD_DIM}`)
  }
}
