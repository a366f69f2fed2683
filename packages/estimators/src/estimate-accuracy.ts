import { squaredCorrelation } from './correlation.js'
import { quantile } from './quantile.js'

/** How well estimates follow the true errors of the same tokens. */
export interface EstimateAccuracy {
  /** Squared correlation. Decides what a threshold can do: it asks which tokens err most, not by how much. */
  readonly r2: number
  /** Root mean square of estimate − error, as a part of the mean error. */
  readonly rootMeanSquare: number
  /** Quantiles of |estimate / error − 1|. */
  readonly median: number
  readonly p91: number
  /** Part of the tokens whose estimate is within 15 % (DP-LLM §5.1: 0.91 for an untuned projection). */
  readonly within15: number
}

/**
 * Compares estimates with errors, each [n]. Tokens without an error count only in `r2` and `rootMeanSquare`.
 */
export function estimateAccuracy(estimates: ArrayLike<number>, errors: ArrayLike<number>): EstimateAccuracy {
  const relative: number[] = []
  let [squares, sum] = [0, 0]
  for (let i = 0; i < errors.length; i++) {
    squares += (estimates[i] - errors[i]) ** 2
    sum += errors[i]
    if (errors[i] > 0) relative.push(Math.abs(estimates[i] / errors[i] - 1))
  }
  const of = (q: number) => (relative.length === 0 ? 0 : quantile(relative, q))
  return {
    r2: squaredCorrelation(estimates, errors),
    rootMeanSquare: sum === 0 ? 0 : Math.sqrt(squares * errors.length) / sum,
    median: of(0.5),
    p91: of(0.91),
    within15: relative.length === 0 ? 1 : relative.filter((r) => r <= 0.15).length / relative.length,
  }
}
