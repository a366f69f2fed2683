import type { Estimator, Tensor } from '@dpllm/core'
import { checkLinears } from './check-estimators.js'
import type { LinearEstimators, PairEstimator } from './estimator-set.js'

export const FORMAT = 'dpllm-estimators'

/** Version of the header. A reader refuses those above its own. */
export const FORMAT_VERSION = 1

/** Estimators as a file can hold them: JSON, and tensors by name (safetensors, say). */
export interface SerializedEstimators {
  /** Plain JSON: objects, arrays, strings and finite numbers. */
  readonly header: EstimatorsHeader
  /**
   * `NAME.LOW-HIGH.quantiles` f32 [257], and `NAME.LOW-HIGH.projection` f32 [k, D] for projections, `NAME.LOW-HIGH.probe`
   * f32 [D] for probes.
   */
  readonly tensors: ReadonlyMap<string, Tensor<'f32'>>
}

export interface EstimatorsHeader {
  readonly format: typeof FORMAT
  readonly version: number
  readonly linears: readonly {
    readonly name: string
    readonly cols: number
    readonly pairs: readonly { readonly low: number; readonly high: number; readonly estimator: EstimatorHeader }[]
  }[]
}

export type EstimatorHeader =
  | { readonly kind: 'none' | 'exact' | 'projection' }
  | { readonly kind: 'linear'; readonly slope: number; readonly intercept: number }
  | { readonly kind: 'probe'; readonly bias: number }

/**
 * Turns estimators into what a file can hold. Nothing is copied or rounded: `deserializeEstimators` gives the same back.
 * @throws InvalidArgumentError for estimators that it would refuse
 */
export function serializeEstimators(linears: readonly LinearEstimators[]): SerializedEstimators {
  checkLinears(linears)
  const tensors = new Map<string, Tensor<'f32'>>()
  for (const { name, pairs } of linears) {
    for (const { low, high, estimator, quantiles } of pairs) {
      const key = pairKey(name, low, high)
      tensors.set(`${key}.quantiles`, { dtype: 'f32', shape: [quantiles.length], data: quantiles })
      if (estimator.kind === 'projection') tensors.set(`${key}.projection`, estimator.matrix)
      if (estimator.kind === 'probe') tensors.set(`${key}.probe`, estimator.weights)
    }
  }
  const header: EstimatorsHeader = {
    format: FORMAT,
    version: FORMAT_VERSION,
    linears: linears.map(({ name, cols, pairs }) => ({ name, cols, pairs: pairs.map(pairHeader) })),
  }
  return { header, tensors }
}

/** What the tensors of a pair are called, before `.quantiles`, `.projection` and `.probe`. */
export function pairKey(name: string, low: number, high: number): string {
  return `${name}.${low}-${high}`
}

function pairHeader({ low, high, estimator }: PairEstimator) {
  return { low, high, estimator: estimatorHeader(estimator) }
}

function estimatorHeader(estimator: Estimator): EstimatorHeader {
  const { kind } = estimator
  if (kind === 'linear') return { kind, slope: estimator.slope, intercept: estimator.intercept }
  if (kind === 'probe') return { kind, bias: estimator.bias }
  return { kind }
}
