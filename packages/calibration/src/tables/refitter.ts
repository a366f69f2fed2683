import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { InvalidArgumentError } from '@dpllm/core'
import { probeCpu, refitRows as refitRowsNatively } from '@dpllm/cpu-kernels'
import { type RefitRows, refitRows } from './refit-rows.js'

/** Something that fits the tables of rows. All give the same bytes. */
export interface TableRefitter {
  readonly name: 'native' | 'typescript'
  /** Rows to give at a time. Aborts and progress are seen between two calls. */
  rowsPerCall(cols: number): number
  /** As `refitRows`. */
  refit(task: RefitRows): Promise<Uint16Array[]>
}

/** Most threads; more than any machine has cores. */
const MAX_THREADS = 1024
/** Additions of a call: a second of one native thread, some 0.1 s of TypeScript. */
const ADDITIONS = { native: 1e10, typescript: 1e8 }
/** Rows that a native thread takes together (native/quantizer/refit_rows.cpp). */
const TILE_ROWS = 64

/**
 * Native code on `threads` threads (default: one for each core), off the event loop.
 * @throws InvalidArgumentError
 */
export function nativeTableRefitter(threads: number = availableParallelism()): TableRefitter {
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new InvalidArgumentError('threads', `an integer from 1 to ${MAX_THREADS}`, threads)
  }
  return {
    name: 'native',
    rowsPerCall: (cols) => threads * TILE_ROWS * Math.max(1, Math.floor(ADDITIONS.native / (TILE_ROWS * cols * cols))),
    refit: (task) => refitRowsNatively({ ...task, threads }),
  }
}

/** The version in TypeScript, on the event loop, which is free between two calls. */
export function typescriptTableRefitter(): TableRefitter {
  return {
    name: 'typescript',
    rowsPerCall: (cols) => Math.max(1, Math.floor(ADDITIONS.typescript / (cols * cols))),
    async refit(task) {
      await setImmediate()
      return refitRows(task)
    },
  }
}

/** The native version where its addon can be loaded, otherwise the one in TypeScript. */
export function createTableRefitter({ threads }: { threads?: number | undefined } = {}): TableRefitter {
  return probeCpu().ok ? nativeTableRefitter(threads) : typescriptTableRefitter()
}
