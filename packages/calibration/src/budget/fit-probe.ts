import { createRandom, type Estimator, InvalidArgumentError, type Tensor } from '@dpllm/core'
import { adamWStep } from '../optimizer/adamw.js'
import { columnMoments } from './column-moments.js'
import { probeEstimates } from './probe-estimates.js'
import { topShare } from './top-share.js'

/** A linear probe: e = weights · u + bias, here the logarithm of what it predicts, over the mean. */
export type Probe = Extract<Estimator, { kind: 'probe' }>

export interface ProbeFit {
  readonly probe: Probe
  /**
   * Part of the targets' sum that the quarter of the held-out tokens with the largest estimates carries: 0.25 if it knows nothing.
   * NaN if these targets are all 0.
   */
  readonly heldOutShare: number
}

export interface FitProbeOptions {
  /** Of the order of the tokens; default 0. */
  readonly seed?: number | undefined
  /** Part of the tokens, at the end, that is not fitted to; default 0.1. */
  readonly heldOut?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const EPOCHS = 5
const BATCH = 512
const LEARNING_RATE = 3e-3
/** Factor of the rate after every epoch. */
const RATE_DECAY = 0.6
const WEIGHT_DECAY = 1e-2
/** A little shorter memory of the square than usual: the fit has a few hundred steps. */
const BETAS = [0.9, 0.98] as const
/** Multiple of the mean that a target counts as at most: a few tokens are worth hundreds of others and would be all that is fitted. */
const MOST_TARGET = 50
/** Beyond e^±6 the exponential goes on as its tangent, so that no token's gradient is unbounded. */
const MOST_EXPONENT = 6
const HELD_OUT = 0.1

/**
 * Fits e = w · u + b so that exp(e) is the expected target over the mean target: Poisson regression with the logarithm for its
 * link, loss mean(exp(e) − y e), by AdamW on standardised features. Its minimum is at the conditional mean, whatever the targets'
 * distribution is, and targets may be 0.
 * @param features f32 [tokens, D]
 * @param targets f32 [tokens], none negative
 * @returns the probe for features as they are given; the same for the same seed
 * @throws InvalidArgumentError for sizes or numbers that cannot be; the signal's reason
 */
export async function fitProbe(features: Tensor<'f32'>, targets: Float32Array, options: FitProbeOptions = {}): Promise<ProbeFit> {
  const { seed = 0, heldOut = HELD_OUT, signal } = options
  const [tokens, width] = checkSizes(features, targets, heldOut)
  const fitted = Math.min(tokens - 1, Math.max(1, Math.floor(tokens * (1 - heldOut))))
  const y = normalised(targets.subarray(0, fitted))
  const { means, deviations } = columnMoments(features.data.subarray(0, fitted * width), width)

  // Weights of standardised features, then the bias.
  const parameters = new Float32Array(width + 1)
  const gradient = new Float32Array(width + 1)
  const state = { mean: new Float32Array(width + 1), square: new Float32Array(width + 1), steps: 0 }
  const random = createRandom(seed)
  const order = Uint32Array.from({ length: fitted }, (_, t) => t)
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(order, random.uint32)
    const settings = { learningRate: LEARNING_RATE * RATE_DECAY ** epoch, weightDecay: WEIGHT_DECAY, betas: BETAS }
    for (let begin = 0; begin < fitted; begin += BATCH) {
      const batch = order.subarray(begin, begin + BATCH)
      addGradient(gradient.fill(0), batch, folded(parameters, means, deviations), features.data, y, means, deviations)
      adamWStep(parameters, gradient, state, settings)
    }
    // Lets an abort be seen: the loop itself never waits.
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
  }

  const { weights, bias } = folded(parameters, means, deviations)
  const probe: Probe = {
    kind: 'probe',
    weights: { dtype: 'f32', shape: [width], data: Float32Array.from(weights) },
    bias: Math.fround(bias),
  }
  const estimates = probeEstimates(probe, features.data.subarray(fitted * width))
  return { probe, heldOutShare: topShare(estimates, targets.subarray(fitted)) }
}

/** Targets over their mean, capped; ones where all are 0, so that the fit is 0. */
function normalised(targets: Float32Array): Float64Array {
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length
  return Float64Array.from(targets, (target) => (mean > 0 ? Math.min(target / mean, MOST_TARGET) : 1))
}

/** Weights and bias for features that are not standardised. */
function folded(
  parameters: Float32Array,
  means: Float64Array,
  deviations: Float64Array,
): { weights: Float64Array; bias: number } {
  const weights = deviations.map((deviation, k) => parameters[k] / deviation)
  const bias = weights.reduce((sum, weight, k) => sum - weight * means[k], parameters[means.length])
  return { weights, bias }
}

/** Adds the gradient of the batch's mean loss, of standardised weights and the bias. */
function addGradient(
  gradient: Float32Array,
  batch: Uint32Array,
  { weights, bias }: { weights: Float64Array; bias: number },
  features: Float32Array,
  y: Float64Array,
  means: Float64Array,
  deviations: Float64Array,
): void {
  const width = weights.length
  const sums = new Float64Array(width)
  let total = 0
  for (const t of batch) {
    const begin = t * width
    let e = bias
    for (let k = 0; k < width; k++) e += weights[k] * features[begin + k]
    const residual = Math.exp(Math.min(Math.max(e, -MOST_EXPONENT), MOST_EXPONENT)) - y[t]
    for (let k = 0; k < width; k++) sums[k] += residual * features[begin + k]
    total += residual
  }
  for (let k = 0; k < width; k++) gradient[k] += (sums[k] - total * means[k]) / (deviations[k] * batch.length)
  gradient[width] += total / batch.length
}

/** Fisher–Yates. */
function shuffle(order: Uint32Array, uint32: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = uint32() % (i + 1)
    ;[order[i], order[j]] = [order[j], order[i]]
  }
}

function checkSizes(features: Tensor<'f32'>, targets: Float32Array, heldOut: number): [tokens: number, width: number] {
  const [tokens, width] = features.shape
  if (features.shape.length !== 2 || !(tokens >= 2 && width >= 1) || features.data.length !== tokens * width)
    throw new InvalidArgumentError('features', '[tokens, D] of at least two tokens', `[${features.shape}]`)
  if (targets.length !== tokens) throw new InvalidArgumentError('targets', `${tokens}, one for each token`, targets.length)
  const bad = targets.find((target) => !(target >= 0 && target < Number.POSITIVE_INFINITY))
  if (bad !== undefined) throw new InvalidArgumentError('targets', 'numbers of at least 0', bad)
  const notFinite = features.data.find((x) => !Number.isFinite(x))
  if (notFinite !== undefined) throw new InvalidArgumentError('features', 'finite numbers', notFinite)
  if (!(heldOut > 0 && heldOut < 1)) throw new InvalidArgumentError('heldOut', 'a part of the tokens between 0 and 1', heldOut)
  return [tokens, width]
}
