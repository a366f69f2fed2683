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
 * @param pairs by linear; one pass over the windows for each pair of a linear
 * @param bits that the linears read meanwhile
 */
export async function estimateQuantiles(
  { model, landing, signal, onProgress }: CalibrationRun,
  program: CompiledProgram,
  pairs: readonly (readonly FittedPair[])[],
  bits: readonly number[],
): Promise<LinearEstimators[]> {
  const passes = Math.max(...pairs.map(({ length }) => length))
  const tokens = tokensOf(landing)
  const quantiles: Float32Array[][] = pairs.map(() => [])
  for (let pass = 0; pass < passes; pass++) {
    const estimators = pairs.map((of): Estimator => of[pass]?.estimator ?? { kind: 'none' })
    const { estimates } = await observe(program, model.linears, landing, watchingPolicy(estimators, bits), {
      signal,
      onTokens: (done) =>
        onProgress?.({ stage: 'distributions', done: pass * tokens + done, total: passes * tokens, unit: 'tokens' }),
    })
    for (const [i, of] of pairs.entries()) if (of[pass] !== undefined) quantiles[i].push(sketchQuantiles(estimates[i]))
  }
  return model.linears.map(({ module, cols }, i) => ({
    name: module,
    cols: inputWidth(pairs[i]) ?? cols,
    pairs: pairs[i].map((pair, j) => ({ ...pair, quantiles: quantiles[i][j] })),
  }))
}

/** Of a probe, which may read something else than the linear's own input. */
function inputWidth(pairs: readonly FittedPair[]): number | undefined {
  return pairs[0]?.estimator.kind === 'probe' ? pairs[0].estimator.weights.data.length : undefined
}
