/** State of AdamW for one array of parameters. */
export interface AdamWState {
  /** f64, running mean of the gradient. */
  readonly mean: Float64Array
  /** f64, running mean of its square. */
  readonly square: Float64Array
  /** Steps taken. */
  steps: number
}

export interface AdamWOptions {
  readonly learningRate: number
  /** Part of a parameter, times the learning rate, that every step takes away. */
  readonly weightDecay: number
  /** Decays of the running means. */
  readonly betas: readonly [number, number]
  readonly epsilon: number
}

/** State before the first step of `length` parameters. */
export function createAdamWState(length: number): AdamWState {
  return { mean: new Float64Array(length), square: new Float64Array(length), steps: 0 }
}

/**
 * One step of Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2, in the form of torch.optim.AdamW):
 * changes `parameters` f64 and the state in place.
 */
export function adamWStep(
  parameters: Float64Array,
  gradient: ArrayLike<number>,
  state: AdamWState,
  { learningRate, weightDecay, betas: [beta1, beta2], epsilon }: AdamWOptions,
): void {
  const { mean, square } = state
  state.steps++
  const rate = learningRate / (1 - beta1 ** state.steps)
  const correction = Math.sqrt(1 - beta2 ** state.steps)
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]
    mean[i] = beta1 * mean[i] + (1 - beta1) * g
    square[i] = beta2 * square[i] + (1 - beta2) * g * g
    parameters[i] *= 1 - learningRate * weightDecay
    parameters[i] -= (rate * mean[i]) / (Math.sqrt(square[i]) / correction + epsilon)
  }
}
