import { type Estimator, type Policy, pairThresholds, THRESHOLDS } from '@dpllm/core'
import { pairThreshold } from '@dpllm/estimators'
import type { Model } from '@dpllm/runtime'
import { type Observation, observe } from './collect.js'

/** Rounds of measuring: decisions change the inputs of the layers behind them, and with these their estimates. */
const ROUNDS = 3

export interface FoundThresholds {
  /** One for each linear. */
  readonly thresholds: readonly number[]
  /** Effective bits on the calibration windows with these thresholds. */
  readonly measuredBits: number
}

/**
 * Thresholds with which every linear reads `high` bits for the same part of the tokens, so that the mean is
 * `targetBits` (DP-LLM §4, phase 3), measured on what the running model sees: its own estimates at its own decisions.
 * @param estimators one for each linear
 * @param onRound called with rounds done (fractions while one runs) of the number returned by `thresholdRounds`
 */
export async function findThresholds(
  model: Model,
  windows: readonly Uint32Array[],
  estimators: readonly Estimator[],
  pair: { low: number; high: number; targetBits: number },
  options: { signal?: AbortSignal | undefined; onRound?: (done: number) => void } = {},
): Promise<FoundThresholds> {
  const { low, high, targetBits } = pair
  const total = windows.reduce((sum, w) => sum + w.length, 0)
  const policyOf = (thresholds: readonly number[]): Policy => {
    const rows = new Float32Array(thresholds.length * THRESHOLDS)
    thresholds.forEach((threshold, i) => {
      rows.set(pairThresholds(low, high, threshold), i * THRESHOLDS)
    })
    return { estimators, thresholds: rows }
  }
  let thresholds: readonly number[] = estimators.map(() => Number.NEGATIVE_INFINITY)
  let seen: Observation | undefined
  for (let round = 0; round <= ROUNDS; round++) {
    if (seen !== undefined) thresholds = seen.estimates.map((e) => Math.fround(pairThreshold(e, low, high, targetBits)))
    seen = await observe(model, windows, policyOf(thresholds), {
      signal: options.signal,
      onTokens: (tokens) => options.onRound?.(round + tokens / total),
    })
  }
  return { thresholds, measuredBits: seen!.effectiveBits }
}

/** Passes over the windows that `findThresholds` makes. */
export const thresholdRounds = ROUNDS + 1
