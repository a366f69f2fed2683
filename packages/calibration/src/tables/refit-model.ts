import {
  type BitPlaneWeight,
  type FloatTensor,
  InvalidArgumentError,
  isBitPlanes,
  type OnProgress,
  UnsupportedError,
} from '@dpllm/core'
import { linearsOf, type ProgramLinear } from '../sensitivity/linears.js'
import { inputCovariances, type RunnableModel } from './input-covariance.js'
import { type RefitTablesOptions, refitTables, rowsOf } from './refit-tables.js'

export interface RefitModelOptions extends Omit<RefitTablesOptions, 'onRows'> {
  /** Most bytes of second moments at a time (`inputCovariances`). Default 2 GiB. */
  readonly covarianceBytes?: number | undefined
  readonly onProgress?: OnProgress | undefined
}

/** The tables of a weight, as in `BitPlaneWeight.luts`. */
export interface RefittedWeight {
  readonly name: string
  readonly luts: readonly Uint16Array[]
}

/**
 * Fits the tables of a model's bit-planes to what their linears read in the original model on a text (`refitTables`),
 * weight by weight in the order of the program. What has been given can be kept: a run that is resumed asks for the others.
 * @param original the unquantized model, with dense weights of the names of `quantized`
 * @param quantized bit-planes by the names of the linears' weights; a weight of no linear is left out
 * @param windows tokens of the calibration text, each from position 0
 * @throws InvalidArgumentError where shapes differ; UnsupportedError for a weight that several linears read;
 * DpllmError ERR_DPLLM_NOT_FINITE if inputs overflow; the signal's reason
 */
export async function* refitModel(
  original: RunnableModel,
  quantized: ReadonlyMap<string, BitPlaneWeight>,
  windows: readonly Uint32Array[],
  options: RefitModelOptions = {},
): AsyncGenerator<RefittedWeight, void, undefined> {
  const { covarianceBytes, onProgress, ...refitOptions } = options
  const linears = linearsOf(original.program).filter(({ weight }) => quantized.has(weight))
  checkLinears(linears, original, quantized)
  const total = linears.reduce((sum, { rows, cols }) => sum + rows * cols, 0)
  let done = 0
  const covariances = inputCovariances(original, [...new Set(linears.map(({ x }) => x))], windows, {
    covarianceBytes,
    signal: options.signal,
    onTokens: (tokens, of) => onProgress?.({ stage: 'covariances', done: tokens, total: of, unit: 'tokens' }),
  })
  for await (const { value, covariance } of covariances) {
    for (const { weight, rows, cols } of linears.filter(({ x }) => x === value)) {
      const onRows = (count: number) =>
        onProgress?.({ stage: 'least squares', done: done + count * cols, total, unit: 'weights' })
      const reader = rowsOf(original.weights.get(weight) as FloatTensor)
      const luts = await refitTables(quantized.get(weight)!, reader, covariance, { ...refitOptions, onRows })
      done += rows * cols
      yield { name: weight, luts }
    }
  }
}

function checkLinears(
  linears: readonly ProgramLinear[],
  { weights }: RunnableModel,
  quantized: ReadonlyMap<string, BitPlaneWeight>,
): void {
  const seen = new Set<string>()
  for (const { weight } of linears) {
    if (seen.has(weight)) throw new UnsupportedError(`tables of ${weight} cannot be fitted: several linears read it`)
    seen.add(weight)
    const [dense, planes] = [weights.get(weight), quantized.get(weight)!]
    if (dense === undefined || isBitPlanes(dense))
      throw new InvalidArgumentError(weight, 'a dense weight in the original model', dense?.kind)
    const [rows, cols] = dense.shape
    if (rows !== planes.rows || cols !== planes.cols)
      throw new InvalidArgumentError(weight, `bit-planes of ${rows} × ${cols}`, `${planes.rows} × ${planes.cols}`)
  }
}
