import { InvalidArgumentError, type OnProgress } from '@dpllm/core'
import type { BackendName } from '@dpllm/runtime'
import { checkWindows } from '../calibrate/windows.js'
import { leastSquaresStart } from './least-squares-start.js'
import type { TableStart } from './table-start.js'
import type { TrainingSettings } from './train.js'
import { TRAINABLE_BITS } from './trained-tables.js'

const DEFAULT_BITS = [3, 4]

/** What decides how tables are tuned. */
export interface TuneOptions {
  /** Steps of training; default 400. More are better, up to a few passes over the text; 0: least squares alone. */
  readonly steps?: number | undefined
  /** Windows of the text for each step; default 4. */
  readonly batch?: number | undefined
  /** Tokens of a window; default 256, at most the model's context. */
  readonly sequenceLength?: number | undefined
  /**
   * Bit counts whose tables are tuned, of 3, 4 and 5; default 3 and 4. Tables of 5 bits come nearer to the original on text
   * like the calibration text, but may predict other text a little worse than before (decision 8).
   */
  readonly bits?: readonly number[] | undefined
  /** Peak of Adam's learning rate, in standard deviations of a row's weights (3 bits); default 0.005. */
  readonly learningRate?: number | undefined
  readonly seed?: number | undefined
  /** What makes the tables that training starts from; default least squares (`refitModel`). false: those of the model. */
  readonly start?: TableStart | false | undefined
}

/** What a tuning run needs besides, and what does not change its result. */
export interface TuneRunOptions {
  readonly backend?: BackendName | 'auto' | undefined
  readonly threads?: number | undefined
  /** Seconds between two savings of what a run that is continued goes on from; default 300. */
  readonly saveSeconds?: number | undefined
  /** Aborting keeps the work for a later run. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** Options and text, checked and complete. */
export interface TuneSettings extends TrainingSettings {
  readonly text: string
  readonly sequenceLength: number
  readonly start: TableStart | false
}

/** @throws InvalidArgumentError */
export function tuneSettings(text: string, options: TuneOptions): TuneSettings {
  const { steps = 400, batch = 4, sequenceLength = 256, learningRate = 0.005, seed = 0, start = leastSquaresStart } = options
  if (!Number.isSafeInteger(steps) || steps < 0) throw new InvalidArgumentError('steps', 'an integer of at least 0', steps)
  if (!Number.isSafeInteger(batch) || batch < 1) throw new InvalidArgumentError('batch', 'a positive integer', batch)
  checkWindows(1, sequenceLength)
  if (!(learningRate > 0 && learningRate < Number.POSITIVE_INFINITY))
    throw new InvalidArgumentError('learningRate', 'a number above 0', learningRate)
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new InvalidArgumentError('seed', 'an integer from 0 to 4294967295', seed)
  const bits = [...new Set(options.bits ?? DEFAULT_BITS)].sort((a, b) => a - b)
  const unknown = bits.find((b) => !TRAINABLE_BITS.includes(b))
  if (bits.length === 0 || unknown !== undefined)
    throw new InvalidArgumentError('bits', `some of ${TRAINABLE_BITS.join(', ')}`, unknown ?? 'none')
  return { text, steps, batch, sequenceLength, learningRate, seed, bits, start }
}
