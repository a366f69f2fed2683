import { availableParallelism } from 'node:os'
import { type BitPlaneWeight, MAX_BITS, MIN_BITS, wordsPerRow } from '@dpllm/core'
import { loadAddon } from './load-addon.js'

export interface NativeQuantizeOptions {
  /** Columns of the matrix. */
  readonly cols: number
  /** Bits of the exact k-means that the splits begin from. Default 3. */
  readonly seedBits?: number
  /** Bits of the finest level, up to 8. Default 8. */
  readonly maxBits?: number
  /** f32 [rows, cols], finite, not negative. Default 1 everywhere. */
  readonly sensitivities?: Float32Array | undefined
  /** Default one for each core. */
  readonly threads?: number
}

/**
 * Quantizes rows to nested bit-planes off the event loop; the native version of `quantizeRows` in @dpllm/calibration,
 * which says what is computed, checks the arguments, and is what to call. The arrays must not change meanwhile.
 * @param weights f32 [rows, cols], finite, magnitudes up to 65504
 * @throws BackendUnavailableError if the addon cannot be loaded
 */
export async function quantizeRows(weights: Float32Array, options: NativeQuantizeOptions): Promise<BitPlaneWeight> {
  const { cols, seedBits = MIN_BITS, maxBits = MAX_BITS, sensitivities, threads = availableParallelism() } = options
  const { addon } = loadAddon()
  const rows = weights.length / cols
  const planes = new Uint32Array(maxBits * rows * wordsPerRow(cols))
  const luts: Uint16Array[] = []
  for (let bits = seedBits; bits <= maxBits; bits++) luts.push(new Uint16Array(rows * 2 ** bits))
  await addon.quantizeRows({ weights, sensitivities, rows, cols, seedBits, maxBits, planes, luts, threads })
  return { kind: 'bitPlanes', rows, cols, seedBits, maxBits, planes, luts }
}
