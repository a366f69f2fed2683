import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { type BitPlaneWeight, InvalidArgumentError } from '@dpllm/core'
import { probeCpu, quantizeRows as quantizeRowsNatively } from '@dpllm/cpu-kernels'
import { checkQuantizeRows, type QuantizeRowsOptions, quantizeRows } from './quantize-rows.js'

/** Something that quantizes the rows of a matrix. All give the same bytes. */
export interface RowQuantizer {
  readonly name: 'native' | 'typescript'
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
    weightsPerCall: 2 ** 15,
    async quantize(weights, options) {
      await setImmediate()
      return quantizeRows(weights, options)
    },
  }
}

/** The native version where its addon can be loaded, otherwise the one in TypeScript. */
export function createRowQuantizer({ threads }: { threads?: number | undefined } = {}): RowQuantizer {
  return probeCpu().ok ? nativeRowQuantizer(threads) : typescriptRowQuantizer()
}
