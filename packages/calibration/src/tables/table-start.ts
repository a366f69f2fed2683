import type { OnProgress } from '@dpllm/core'
import type { Model } from '@dpllm/runtime'

/** What a start of training is made from. */
export interface TableStartContext {
  readonly teacher: Model
  /** The quantized model; its tables (`BitPlaneWeight.luts`) are changed in place. */
  readonly student: Model
  /** Training windows, all of the same length. */
  readonly windows: readonly Uint32Array[]
  /** Bit counts whose tables are going to be trained. */
  readonly bits: readonly number[]
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Improves tables before they are trained. The same context must give the same tables; every row must ascend. */
export interface TableStart {
  /** Names what it does, with all that decides it: continued work of another is not mixed with it. */
  readonly name: string
  apply(context: TableStartContext): Promise<void>
}
