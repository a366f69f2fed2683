/** State of Adam for one array of parameters. */
export interface AdamMoments {
  /** f32, running mean of the gradient. */
  readonly mean: Float32Array
  /** f32, running mean of its square. */
  readonly square: Float32Array
  /** Steps taken. */
  steps: number
}

/** Decay of the running means. The shorter memory of the square follows a gradient whose size changes with the bits drawn. */
const MEAN_DECAY = 0.9
const SQUARE_DECAY = 0.98
/** Keeps parameters without a gradient where they are. */
const EPSILON = 1e-8

export function createMoments(length: number): AdamMoments {
  return { mean: new Float32Array(length), square: new Float32Array(length), steps: 0 }
}

/** One step of Adam (Kingma and Ba 2015, algorithm 1): changes `parameters` f32 and its moments in place. */
export function adamStep(parameters: Float32Array, gradient: Float32Array, moments: AdamMoments, learningRate: number): void {
  const { mean, square } = moments
  moments.steps++
  const rate = learningRate / (1 - MEAN_DECAY ** moments.steps)
  const correction = 1 / (1 - SQUARE_DECAY ** moments.steps)
  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]
    mean[i] = MEAN_DECAY * mean[i] + (1 - MEAN_DECAY) * g
    square[i] = SQUARE_DECAY * square[i] + (1 - SQUARE_DECAY) * g * g
    parameters[i] -= (rate * mean[i]) / (Math.sqrt(square[i] * correction) + EPSILON)
  }
}
