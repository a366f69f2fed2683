/** What the search for average bits knows of a linear. */
export interface AveragedLinear {
  /** Number of its weights, N · K. */
  readonly weights: number
  /** Fewest bits b_min that it can be read at. */
  readonly minBits: number
  /** Most bits B under the memory budget. Where that is `minBits`, the linear is fixed: it has no parameter. */
  readonly maxBits: number
}

/**
 * Average bits p = σ(z) (B − b_min) + b_min of each linear (DP-LLM's code, DPLLM_Linear_Finetune.py): whatever z is, p is
 * within what the memory budget holds. z of a fixed linear is not read.
 * @param z [linears]
 * @returns f64 [linears]
 */
export function averageBitsOf(linears: readonly AveragedLinear[], z: ArrayLike<number>): Float64Array {
  return Float64Array.from(linears, ({ minBits, maxBits }, i) =>
    maxBits === minBits ? minBits : sigmoid(z[i]) * (maxBits - minBits) + minBits,
  )
}

/** dp/dz = σ(z) (1 − σ(z)) (B − b_min), 0 for fixed linears. f64 [linears]. */
export function averageBitsSlopes(linears: readonly AveragedLinear[], z: ArrayLike<number>): Float64Array {
  return Float64Array.from(linears, ({ minBits, maxBits }, i) =>
    maxBits === minBits ? 0 : sigmoid(z[i]) * sigmoid(-z[i]) * (maxBits - minBits),
  )
}

/** Two branches, so that neither overflows nor cancels. */
function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z))
  const e = Math.exp(z)
  return e / (1 + e)
}
