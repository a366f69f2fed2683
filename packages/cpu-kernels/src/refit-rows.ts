import { availableParallelism } from 'node:os'
import { type BitPlaneWeight, lutOf } from '@dpllm/core'
import { loadAddon } from './load-addon.js'

export interface NativeRefitOptions {
  /** f32 [cols, cols]: second moments of the inputs, symmetric and finite. */
  readonly covariance: Float32Array
  readonly weight: BitPlaneWeight
  /** f32 [count, cols], finite: the original rows from `first`. */
  readonly original: Float32Array
  readonly first: number
  /** Bit counts whose tables are fitted, ascending. */
  readonly bits: readonly number[]
  /** Default one for each core. */
  readonly threads?: number
}

/**
 * Fits tables of bit-planes by least squares off the event loop; the native version of `refitRows` in @dpllm/calibration,
 * which says what is computed, checks the arguments, and is what to call. The arrays must not change meanwhile.
 * @returns f16 [count, 2^b] for every b of `bits`
 * @throws BackendUnavailableError if the addon cannot be loaded
 */
export async function refitRows(options: NativeRefitOptions): Promise<Uint16Array[]> {
  const { covariance, weight, original, first, bits, threads = availableParallelism() } = options
  const { addon } = loadAddon()
  const { planes, rows, cols } = weight
  const count = original.length / cols
  const tables = bits.map((b) => ({ bits: b, old: lutOf(weight, b), fitted: new Uint16Array(count * 2 ** b) }))
  await addon.refitRows({ covariance, weights: original, planes, rows, cols, first, count, tables, threads })
  return tables.map(({ fitted }) => fitted)
}
