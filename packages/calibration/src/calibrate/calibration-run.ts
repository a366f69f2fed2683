import type { OnProgress } from '@dpllm/core'
import type { Model } from '@dpllm/runtime'
import type { WorkFolder } from './work-folder.js'

/** What the phases of one calibration share. */
export interface CalibrationRun {
  /** The quantized model with all its bits; its selects read their linears' own inputs. Its most bits stand for the original. */
  readonly model: Model
  /** Windows that everything is measured on and fitted to. */
  readonly windows: readonly Uint32Array[]
  /** Other windows, on which the average bits are brought to the targets: what was fitted looks better on its own windows. */
  readonly landing: readonly Uint32Array[]
  /** Average bits for each weight that may be loaded. */
  readonly memoryBudget: number
  /** Ascending, each once. */
  readonly targets: readonly number[]
  readonly seed: number
  readonly work: WorkFolder
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** What a measurement on the run's windows depends on besides the model and the text. */
export function windowSettings({ windows }: Pick<CalibrationRun, 'windows'>): { windows: number; tokens: number } {
  return { windows: windows.length, tokens: windows[0].length }
}
