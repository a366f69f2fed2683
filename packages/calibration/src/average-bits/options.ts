import { InvalidArgumentError, type OnProgress } from '@dpllm/core'
import { type Model, meanBits } from '@dpllm/runtime'
import type { AveragedLinear } from './parametrization.js'
import type { AverageBitsInit } from './start.js'

export interface TrainAverageBitsOptions {
  /** Mean of all linears' average bits, weighted by parameters: strictly between what all `minBits` and all `maxBits` give. */
  readonly targetBits: number
  /** B_i under the memory budget, in the order of `model.linears`. */
  readonly maxBits: readonly number[]
  /** `z` of a neighbouring target's result, to begin at what gives the new target when all are shifted by the same amount. */
  readonly start?: ArrayLike<number> | undefined
  /** Where to begin without `start`; default `target`. */
  readonly init?: AverageBitsInit | undefined
  /** Times that the windows are gone through, in their order; default 5. */
  readonly epochs?: number | undefined
  /** Steps to take instead of what `epochs` gives. */
  readonly steps?: number | undefined
  /** Windows of a step; default 1. */
  readonly batch?: number | undefined
  /** Default 0.01, for all steps. */
  readonly learningRate?: number | undefined
  /** Decoupled, of z; default 0.01, which draws p to the middle of what the linear can be read at. */
  readonly weightDecay?: number | undefined
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number] | undefined
  /** Default 1e-8. */
  readonly epsilon?: number | undefined
  /** Weight of the penalty; default 1, and 10 for targets of at most 3.25 bits (DP-LLM appendix B.1). */
  readonly alpha?: number | undefined
  /** Of random beginnings; default 0. */
  readonly seed?: number | undefined
  readonly checkpoint?: AverageBitsCheckpoint | undefined
  readonly signal?: AbortSignal | undefined
  /** Stage `average bits TARGET`, in steps. */
  readonly onProgress?: OnProgress | undefined
}

/** Where a run keeps its state: it goes on from there, and gives the result at once if it was done. */
export interface AverageBitsCheckpoint {
  /** JSON. It stays when the run is done. */
  readonly file: string
  /** What the caller knows the model by. Settings and windows are told apart without it. */
  readonly fingerprint: string
  /** Seconds after which an unfinished run is written: what is lost when it is killed. Default 60. */
  readonly everySeconds?: number | undefined
}

/** The options that decide what comes out, with their defaults. */
export type AverageBitsSettings = ReturnType<typeof settingsOf>

/** Targets up to here need the larger penalty weight (DP-LLM appendix B.1). */
const LOW_TARGET = 3.25

/**
 * Fills in the defaults: those of DP-LLM's appendix B.1 and its code.
 * @param windows number of windows
 * @throws InvalidArgumentError
 */
export function settingsOf(options: TrainAverageBitsOptions, windows: number) {
  const { targetBits, epochs = 5, batch = 1, init = 'target', seed = 0, betas = [0.9, 0.999] as const } = options
  checkWhole('epochs', epochs, 1)
  checkWhole('batch', batch, 1)
  checkWhole('seed', seed, 0)
  const { steps = Math.max(1, Math.floor((epochs * windows) / batch)) } = options
  checkWhole('steps', steps, 0)
  const { learningRate = 0.01, weightDecay = 0.01, epsilon = 1e-8, alpha = targetBits <= LOW_TARGET ? 10 : 1 } = options
  for (const [name, value] of Object.entries({ learningRate, weightDecay, epsilon, alpha }))
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw new InvalidArgumentError(name, 'a number of at least 0', value)
  for (const beta of betas) if (!(beta >= 0 && beta < 1)) throw new InvalidArgumentError('betas', 'two from 0 to below 1', beta)
  if (init !== 'target' && init !== 'random') throw new InvalidArgumentError('init', 'target or random', init)
  return { targetBits, steps, batch, init, seed, betas, learningRate, weightDecay, epsilon, alpha }
}

/**
 * The linears of a model, each up to the bits that the budget gives it.
 * @throws InvalidArgumentError for limits that the model cannot give, and targets out of reach
 */
export function averagedLinears(model: Model, { maxBits, targetBits, start }: TrainAverageBitsOptions): AveragedLinear[] {
  const { linears } = model
  if (maxBits.length !== linears.length)
    throw new InvalidArgumentError('maxBits', `${linears.length}, one for each linear`, maxBits.length)
  const averaged = linears.map(({ rows, cols, minBits, maxBits: loaded }, i): AveragedLinear => {
    const most = maxBits[i]
    if (!(Number.isInteger(most) && most >= minBits && most <= loaded))
      throw new InvalidArgumentError(`maxBits[${i}]`, `a whole number from ${minBits} to ${loaded}`, most)
    return { weights: rows * cols, minBits, maxBits: most }
  })
  const meanOf = (bits: number[]) => meanBits(averaged, bits)
  const [least, most] = [meanOf(averaged.map((linear) => linear.minBits)), meanOf(averaged.map((linear) => linear.maxBits))]
  if (!(targetBits > least && targetBits < most))
    throw new InvalidArgumentError(
      'targetBits',
      `a number between ${least} and ${most}, the means of minBits and maxBits`,
      targetBits,
    )
  if (start !== undefined && (start.length !== linears.length || !Array.from(start).every(Number.isFinite)))
    throw new InvalidArgumentError('start', `${linears.length} finite numbers, one for each linear`, `${start.length} numbers`)
  return averaged
}

/** @throws InvalidArgumentError for an unquantized model, or windows that it cannot be trained on */
export function checkTrainable({ linears, directory, config }: Model, length: number): void {
  if (linears.length === 0) throw new InvalidArgumentError('model', 'a quantized model (run dpllm quantize first)', directory)
  const most = config.contextLength + 1
  if (!(Number.isInteger(length) && length >= 2 && length <= most))
    throw new InvalidArgumentError('windows', `windows of 2 to ${most} tokens`, length)
}

/**
 * @param length most tokens of a window
 * @throws InvalidArgumentError unless there is a window, and each has from 2 tokens to `length`
 */
export function checkTrainingWindows(windows: readonly Uint32Array[], length: number): void {
  if (windows.length === 0) throw new InvalidArgumentError('windows', 'at least one', 'none')
  for (const window of windows)
    if (window.length < 2 || window.length > length)
      throw new InvalidArgumentError('windows', `windows of 2 to ${length} tokens`, window.length)
}

function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new InvalidArgumentError(name, `a whole number of at least ${least}`, value)
}
