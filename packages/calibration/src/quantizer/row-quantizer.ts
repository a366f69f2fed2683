import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { type BitPlaneWeight, InvalidArgumentError } from '@dpllm/core'
import { probeCpu, quantizeRows as quantizeRowsNatively } from '@dpllm/cpu-kernels'
import { checkQuantizeRows, type QuantizeRowsOptions, quantizeEachRow, quantizeRows } from './quantize-rows.js'
import { type ReferenceModeOptions, referenceModeRow } from './reference-mode/quantize-row.js'

/** Something that quantizes the rows of a matrix. */
export interface RowQuantizer {
  readonly name: 'native' | 'typescript' | 'reference-mode'
  /** Quantizers whose algorithm is the same give the same bytes, so that one can finish the work of another. */
  readonly algorithm: string
  /** Weights to give at a time. Aborts and progress are seen between two calls. */
  readonly weightsPerCall: number
  /** As `quantizeRows`. */
  quantize(weights: Float32Array, options: QuantizeRowsOptions): Promise<BitPlaneWeight>
}

/** Most threads; more than any machine has cores. */
const MAX_THREADS = 1024

/**
 * Native code on `threads` threads (default: one for each core), off the event loop; some 30 ms a call.
 * @throws InvalidArgumentError
 */
export function nativeRowQuantizer(threads: number = availableParallelism()): RowQuantizer {
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new InvalidArgumentError('threads', `an integer from 1 to ${MAX_THREADS}`, threads)
  }
  return {
    name: 'native',
    algorithm: 'exact',
    weightsPerCall: 2 ** 18 * threads,
    async quantize(weights, options) {
      checkQuantizeRows(weights, options)
      return quantizeRowsNatively(weights, { ...options, threads })
    },
  }
}

/** The version in TypeScript, on the event loop, which is free between two calls of some 15 ms. */
export function typescriptRowQuantizer(): RowQuantizer {
  return {
    name: 'typescript',
    algorithm: 'exact',
    weightsPerCall: 2 ** 15,
    async quantize(weights, options) {
      await setImmediate()
      return quantizeRows(weights, options)
    },
  }
}

/**
 * Any-Precision's own algorithm instead of ours, for comparing with it (algorithms.md §1.4.3, §1.5.2); in TypeScript,
 * on the event loop.
 * @throws InvalidArgumentError for a seed that is no u32
 */
export function referenceModeQuantizer(options: ReferenceModeOptions = {}): RowQuantizer {
  const { seed = 0, lutRefresh = false } = options
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new InvalidArgumentError('seed', 'an integer from 0 to 4294967295', seed)
  }
  return {
    name: 'reference-mode',
    algorithm: `reference mode, seed ${seed}${lutRefresh ? ', tables refreshed' : ''}`,
    weightsPerCall: 2 ** 15,
    async quantize(weights, rowsOptions) {
      await setImmediate()
      return quantizeEachRow(weights, rowsOptions, referenceModeRow({ seed, lutRefresh }))
    },
  }
}

/** The native version where its addon can be loaded, otherwise the one in TypeScript. */
export function createRowQuantizer({ threads }: { threads?: number | undefined } = {}): RowQuantizer {
  return probeCpu().ok ? nativeRowQuantizer(threads) : typescriptRowQuantizer()
}
