import { type Estimator, InvalidArgumentError, type OnProgress, type Tensor } from '@dpllm/core'
import { type CalibrationTokens, checkTokens, holdOut } from './calibration-tokens.js'
import { type EstimateAccuracy, estimateAccuracy } from './estimate-accuracy.js'
import { inputNorms } from './input-norms.js'
import type { RowOf } from './linear-algebra/row-blocks.js'
import { fitLinear, LINEAR_R2, linearEstimates } from './linear-fit.js'
import { createProjection, projectedNorms } from './projection.js'
import { createSketch } from './sketch.js'
import { tuneProjection } from './tune-projection.js'

/** `projection`: random (Johnson–Lindenstrauss), tuned. `sketch`: `createSketch`, tuned. */
export type EstimatorCandidate = 'linear' | 'projection' | 'sketch'

export interface ChooseOptions {
  readonly seed: number
  /** Rows of projections; default PROJECTION_ROWS. */
  readonly k?: number
  /** R² from which a linear fit is taken without making anything else; default LINEAR_R2. */
  readonly linearR2?: number | undefined
  /**
   * What is made, and judged on held-out tokens, for linears below that; default all three. DP-LLM as published is
   * `['projection']`.
   */
  readonly candidates?: readonly EstimatorCandidate[] | undefined
  /** Steps of tuning; 0 does without. Default that of `tuneProjection`. */
  readonly tuneSteps?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

export interface ChosenEstimator {
  readonly estimator: Estimator
  readonly candidate: EstimatorCandidate
  /** Of the linear fit to all tokens. */
  readonly linearR2: number
  /** On held-out tokens, of every candidate that was made. */
  readonly accuracy: Readonly<Partial<Record<EstimatorCandidate, EstimateAccuracy>>>
}

/**
 * DP-LLM's hybrid choice (§5.1): a linear fit where its R² is at least 0.9, else a tuned projection; here one of several,
 * the one with the highest R² on the last quarter of the tokens, which none of them was fitted to. R² and not the mean error
 * decides, since thresholds are quantiles: only the order of the tokens counts.
 * @param rowOf gives row n of ΔW = W_high − W_low, f32 [cols]
 * @throws InvalidArgumentError, the signal's reason
 */
export async function chooseEstimator(
  rows: number,
  cols: number,
  rowOf: RowOf,
  tokens: CalibrationTokens,
  options: ChooseOptions,
): Promise<ChosenEstimator> {
  const { seed, k, signal, onProgress, linearR2 = LINEAR_R2, candidates = ['linear', 'projection', 'sketch'] } = options
  checkTokens(tokens, cols)
  if (candidates.length === 0) throw new InvalidArgumentError('candidates', 'at least one', 'none')
  const norms = inputNorms(tokens.x, cols)
  const whole = fitLinear(norms, tokens.errors)
  const { fitted, held } = holdOut(tokens, cols)
  const linear = (): Candidate => {
    const fit = fitLinear(norms.subarray(0, fitted.errors.length), fitted.errors)
    const estimates = linearEstimates(fit, norms.subarray(fitted.errors.length))
    const estimator: Estimator = { kind: 'linear', slope: whole.slope, intercept: whole.intercept }
    return { estimator, accuracy: estimateAccuracy(estimates, held.errors) }
  }
  const tuned = async (start: Tensor<'f32'>): Promise<Candidate> => {
    const { matrix } = await tuneProjection(start, fitted, { seed, steps: options.tuneSteps, signal, onProgress })
    const accuracy = estimateAccuracy(projectedNorms(matrix, held.x), held.errors)
    return { estimator: { kind: 'projection', matrix }, accuracy }
  }
  const size = k === undefined ? {} : { k }
  const make: Record<EstimatorCandidate, () => Candidate | Promise<Candidate>> = {
    linear,
    projection: () => tuned(createProjection(rows, cols, rowOf, { seed, ...size })),
    sketch: async () => tuned((await createSketch(rows, cols, rowOf, fitted, { seed, signal, onProgress, ...size })).matrix),
  }

  const accuracy: Partial<Record<EstimatorCandidate, EstimateAccuracy>> = {}
  let chosen: { candidate: EstimatorCandidate; estimator: Estimator; r2: number } | undefined
  for (const candidate of whole.r2 >= linearR2 ? (['linear'] as const) : candidates) {
    const made = await make[candidate]()
    accuracy[candidate] = made.accuracy
    const { r2 } = made.accuracy
    if (chosen === undefined || r2 > chosen.r2) chosen = { candidate, estimator: made.estimator, r2 }
  }
  const { estimator, candidate } = chosen!
  return { estimator, candidate, linearR2: whole.r2, accuracy }
}

interface Candidate {
  readonly estimator: Estimator
  readonly accuracy: EstimateAccuracy
}
