import type { CompiledProgram, Estimator } from '@dpllm/core'
import { type LinearEstimators, sketchQuantiles } from '@dpllm/estimators'
import type { CalibrationRun } from '../calibration-run.js'
import type { FittedPair } from './fit-estimators.js'
import { observe, watchingPolicy } from './observe.js'
import { tokensOf } from './select-windows.js'

/**
 * Distributions of the estimates that the running model makes, from which thresholds for every target can be read: DP-LLM's
 * code takes quantiles of true errors of the original model instead, which is one reason for its bits to miss the target
 * (§4, phase 3).
 * @param program whose select operators read what they will read at run time
 * @param pairs by linear; one pass over the windows for each estimator of a linear, which pairs may share
 * @param bits that the linears read meanwhile
 */
export async function estimateQuantiles(
  { model, landing, signal, onProgress }: CalibrationRun,
  program: CompiledProgram,
  pairs: readonly (readonly FittedPair[])[],
  bits: readonly number[],
): Promise<LinearEstimators[]> {
  const distinct = pairs.map((of) => [...new Set(of.map(({ estimator }) => estimator))])
  const passes = Math.max(...distinct.map(({ length }) => length))
  const tokens = tokensOf(landing)
  const quantiles = distinct.map(() => new Map<Estimator, Float32Array>())
  for (let pass = 0; pass < passes; pass++) {
    const estimators = distinct.map((of): Estimator => of[pass] ?? { kind: 'none' })
    const { estimates } = await observe(program, model.linears, landing, watchingPolicy(estimators, bits), {
      signal,
      onTokens: (done) =>
        onProgress?.({ stage: 'distributions', done: pass * tokens + done, total: passes * tokens, unit: 'tokens' }),
    })
    for (const [i, of] of distinct.entries())
      if (of[pass] !== undefined) quantiles[i].set(of[pass], sketchQuantiles(estimates[i]))
  }
  return model.linears.map(({ module, cols }, i) => ({
    name: module,
    cols: inputWidth(pairs[i]) ?? cols,
    pairs: pairs[i].map((pair) => ({ ...pair, quantiles: quantiles[i].get(pair.estimator)! })),
  }))
}

/** Of a probe, which may read something else than the linear's own input. */
function inputWidth(pairs: readonly FittedPair[]): number | undefined {
  return pairs[0]?.estimator.kind === 'probe' ? pairs[0].estimator.weights.data.length : undefined
}
