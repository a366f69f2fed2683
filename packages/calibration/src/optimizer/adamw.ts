/** State of AdamW for one array of parameters, in its precision. */
export interface AdamWState<T extends Float32Array | Float64Array = Float32Array | Float64Array> {
  /** Running mean of the gradient. */
  readonly mean: T
  /** Running mean of its square. */
  readonly square: T
  /** Steps taken. */
  steps: number
}

export interface AdamWOptions {
  readonly learningRate: number
  /** Part of a parameter, times the learning rate, that every step takes away; default 0, which is Adam. */
  readonly weightDecay?: number
  /** Decays of the running means. */
  readonly betas: readonly [number, number]
  /** Keeps parameters without a gradient where they are; default 1e-8. */
  readonly epsilon?: number
}

/**
 * One step of Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2, in the form of torch.optim.AdamW):
 * changes the parameters and the state in place.
 */
export function adamWStep<T extends Float32Array | Float64Array>(
  parameters: T,
  gradient: ArrayLike<number>,
  state: AdamWState<T>,
  { learningRate, weightDecay = 0, betas: [beta1, beta2], epsilon = 1e-8 }: AdamWOptions,
): void {
  const { mean, square } = state
  state.steps++
  const kept = 1 - learningRate * weightDecay
  const rate = learningRate / (1 - beta1 ** state.steps)
  const correction = 1 / (1 - beta2 ** state.steps)
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]
    mean[i] = beta1 * mean[i] + (1 - beta1) * g
    square[i] = beta2 * square[i] + (1 - beta2) * g * g
    parameters[i] = kept * parameters[i] - (rate * mean[i]) / (Math.sqrt(square[i] * correction) + epsilon)
  }
}
