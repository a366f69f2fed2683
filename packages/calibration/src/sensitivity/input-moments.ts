import { DpllmError } from '@dpllm/core'
import { decoderProgram, type Model } from '@dpllm/runtime'
import { runWindows } from '../calibrate/run-windows.js'
import { linearsOf } from './linears.js'

/** f32 [cols] by module: the mean square of every input of a linear over the tokens of a text. */
export type InputMoments = ReadonlyMap<string, Float32Array>

/** Tokens of one step: the inputs of all linears are held at once. */
const CHUNK = 64

/**
 * Measures how large the inputs of every linear are, the head included: E[x_k²] weighs the squared error of column k
 * in the error of the output, E‖ΔW x‖² ≈ Σ_k E[x_k²] ‖ΔW_k‖² (the diagonal of the layer-wise Hessian that GPTQ and
 * OBC use). It needs no gradients, and it keeps the few columns exact that carry massive activations, on which the
 * whole model hangs.
 * @param windows tokens of the text, each from position 0
 * @throws DpllmError ERR_DPLLM_NOT_FINITE if inputs overflow on the way
 */
export async function measureInputMoments(
  model: Model,
  windows: readonly Uint32Array[],
  options: { signal?: AbortSignal | undefined; onTokens?: (tokens: number) => void } = {},
): Promise<InputMoments> {
  const linears = linearsOf(decoderProgram(model.config).program)
  const outputs = [...new Set(linears.map(({ x }) => x))]
  const sums = new Map<string, Float64Array>()
  const stepOf = (tokens: Uint32Array) => ({ rows: tokens.map((_, t) => t), outputs })
  let total = 0
  for await (const { tokens, result, done } of runWindows(model, windows, stepOf, { chunk: CHUNK, signal: options.signal })) {
    for (const name of outputs) addSquares(sums, name, result.outputs[name], tokens.length)
    total = done
    options.onTokens?.(done)
  }
  const moments = new Map(linears.map(({ module, x }) => [module, Float32Array.from(sums.get(x)!, (sum) => sum / total)]))
  for (const [module, squares] of moments) if (!squares.every(Number.isFinite)) throw overflow(model.directory, module)
  return moments
}

function overflow(directory: string, module: string): DpllmError {
  const message = `${directory}: ${module}: its inputs are no finite numbers on the calibration text; weights may be damaged`
  return new DpllmError('ERR_DPLLM_NOT_FINITE', message)
}

function addSquares(sums: Map<string, Float64Array>, name: string, x: Float32Array, rows: number): void {
  const cols = x.length / rows
  let sum = sums.get(name)
  if (sum === undefined) {
    sum = new Float64Array(cols)
    sums.set(name, sum)
  }
  for (let begin = 0; begin < x.length; begin += cols) {
    for (let k = 0; k < cols; k++) sum[k] += x[begin + k] * x[begin + k]
  }
}
