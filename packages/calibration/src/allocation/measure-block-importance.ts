import { DpllmError, InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { decoderProgram, type Model } from '@dpllm/runtime'
import { runWindows } from '../calibrate/run-windows.js'
import { jaccard } from './block-importance.js'
import { blockResiduals, logitLens } from './logit-lens.js'
import { topTokens } from './top-tokens.js'

export interface MeasureBlockImportanceOptions {
  /** Sizes of the sets of likeliest tokens; default only 10, as none is published. */
  readonly topK?: readonly number[] | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Most bytes of logits of one step. */
const LOGIT_BYTES = 2 ** 28

/**
 * The importance of every decoder block (`blockImportance`) over all positions of the windows.
 * @returns f64 [layers] for each of `topK`
 * @throws InvalidArgumentError for no windows or sizes that cannot be; DpllmError ERR_DPLLM_NOT_FINITE; the signal's reason
 */
export async function measureBlockImportance(
  model: Model,
  windows: readonly Uint32Array[],
  { topK = [10], signal, onProgress }: MeasureBlockImportanceOptions = {},
): Promise<Float64Array[]> {
  const { layers, vocabularySize } = model.config
  for (const k of topK)
    if (!(Number.isInteger(k) && k >= 1 && k <= vocabularySize))
      throw new InvalidArgumentError('topK', `whole numbers from 1 to the ${vocabularySize} tokens of the vocabulary`, k)
  const total = windows.reduce((sum, window) => sum + window.length, 0)
  if (total === 0) throw new InvalidArgumentError('windows', 'at least one token', 'none')

  const { program, logits } = logitLens(decoderProgram(model.config).program, blockResiduals(layers))
  await using compiled = await model.backend.compile(program, model.weights)
  const chunk = Math.max(1, Math.floor(LOGIT_BYTES / (4 * vocabularySize * logits.length)))
  const stepOf = (tokens: Uint32Array) => ({ rows: tokens.map((_, row) => row), outputs: logits })
  const similarities = topK.map(() => new Float64Array(layers))
  for await (const { tokens, result, done } of runWindows(compiled, windows, stepOf, { chunk, signal })) {
    for (let t = 0; t < tokens.length; t++) {
      const tops = logits.map((name) => {
        const row = result.outputs[name].subarray(t * vocabularySize, (t + 1) * vocabularySize)
        checkFinite(row, name, model.directory)
        return topTokens(row, Math.max(...topK))
      })
      topK.forEach((k, i) => {
        const sets = tops.map((tokens) => tokens.subarray(0, k))
        for (let layer = 0; layer < layers; layer++) similarities[i][layer] += jaccard(sets[layer], sets[layer + 1])
      })
    }
    onProgress?.({ stage: 'block importance', done, total, unit: 'tokens' })
  }
  return similarities.map((sums) => sums.map((sum) => 1 - sum / total))
}

function checkFinite(logits: Float32Array, name: string, directory: string): void {
  for (const value of logits)
    if (!Number.isFinite(value)) {
      const message = `${directory}: ${name} is ${value} on the calibration text; weights may be damaged`
      throw new DpllmError('ERR_DPLLM_NOT_FINITE', message)
    }
}
