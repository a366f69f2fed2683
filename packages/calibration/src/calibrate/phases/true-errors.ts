import type { Estimator } from '@dpllm/core'
import type { CalibrationRun } from '../calibration-run.js'
import { bitPairs } from './bit-pairs.js'
import { observe, watchingPolicy } from './observe.js'
import { tokensOf } from './select-windows.js'

/**
 * The errors ‖(W_high − W_low) x‖₂ of every linear and pair of bit counts, of its own input x in the quantized model: what
 * estimators estimate (DP-LLM §3).
 * @param bits that the linears read meanwhile
 * @returns f32 [tokens] by linear and pair (`bitPairs`)
 */
export async function trueErrors(
  { model, signal, onProgress }: CalibrationRun,
  windows: readonly Uint32Array[],
  maxBits: readonly number[],
  bits: readonly number[],
): Promise<Float32Array[][]> {
  const pairs = model.linears.map((linear, i) => bitPairs(linear, maxBits[i]))
  const passes = Math.max(...pairs.map(({ length }) => length))
  const tokens = tokensOf(windows)
  const errors: Float32Array[][] = pairs.map(() => [])
  for (let pass = 0; pass < passes; pass++) {
    const estimators = pairs.map((of): Estimator => (of[pass] === undefined ? { kind: 'none' } : { kind: 'exact', ...of[pass] }))
    const { estimates } = await observe(model, model.linears, windows, watchingPolicy(estimators, bits), {
      signal,
      onTokens: (done) =>
        onProgress?.({ stage: 'true errors', done: pass * tokens + done, total: passes * tokens, unit: 'tokens' }),
    })
    for (const [i, of] of pairs.entries()) if (of[pass] !== undefined) errors[i].push(estimates[i])
  }
  return errors
}
