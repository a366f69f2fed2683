import { InvalidArgumentError, MAX_BITS, MIN_BITS, type OnProgress } from '@dpllm/core'
import { type BackendName, checkProfileName } from '@dpllm/runtime'
import { type StaticMethodName, staticMethods } from './methods/static-policy.js'
import { type EstimatorName, estimatorNames } from './methods/threshold-policy.js'
import { checkWindows } from './windows.js'

/**
 * How bits are decided:
 * - `budget`: a price for each bit and a predicted sensitivity of each token (decision 10); the best there is here.
 * - `dp-llm`: as published, two neighbouring bit counts for each linear and a threshold on an estimated error.
 * - `static`, `llm-mq`, `hawq-v2`, `lsaq`: the same bits for all tokens, chosen linear by linear.
 */
export const calibrationMethods = ['budget', 'dp-llm', ...staticMethods] as const
export type CalibrationMethod = 'budget' | 'dp-llm' | StaticMethodName

export interface CalibrateOptions {
  /** Folder of a quantized model; the profile is written into its `profiles/`. */
  readonly model: string
  /** Text like that which the model will meet; documents may be separated by `<|endoftext|>`. Never evaluate on it. */
  readonly calibrationText: string
  /** Average bits for each weight that may be loaded. */
  readonly memoryBudget: number
  /** Average bits that are to be met most exactly, each from the seed's bits to the budget. A profile serves all between, too. */
  readonly targets: readonly number[]
  /** Default `budget`. */
  readonly method?: CalibrationMethod | undefined
  /** Of `dp-llm`; default `hybrid`, as published. */
  readonly estimator?: EstimatorName | undefined
  /** Of `dp-llm`: whether estimates come from earlier residuals, as published. Default true. */
  readonly asynchronous?: boolean | undefined
  /** Of `dp-llm`: times that average bits are trained on all windows. Default 5, as published. */
  readonly epochs?: number | undefined
  /** Of `dp-llm`: steps of one window for each target instead; half of them for targets that begin at a neighbour's. */
  readonly steps?: number | undefined
  readonly seed?: number | undefined
  /**
   * Windows of the text: at most so many, as far as it reaches. A quarter of them, at most 16, is only for meeting the targets.
   * Default 128. DP-LLM's authors take 1000: 5000 steps for each target, of which some 300 do most.
   */
  readonly samples?: number | undefined
  /** Tokens of a window. Default 256, and 512 for `dp-llm`, as published. */
  readonly sequenceLength?: number | undefined
  /** Name of the profile; default METHOD-BUDGET. */
  readonly name?: string | undefined
  /**
   * Folder for what is measured, which other calibrations of the same model and text share. Default one beside the profile,
   * which is removed when that is made; an interrupted calibration goes on with what is there.
   */
  readonly workFolder?: string | undefined
  readonly backend?: BackendName | 'auto' | undefined
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** The options with their defaults. */
export type CalibrateSettings = ReturnType<typeof settingsOf>

/** @throws InvalidArgumentError */
export function settingsOf(options: CalibrateOptions) {
  const { memoryBudget, method = 'budget', estimator = 'hybrid', asynchronous = true, seed = 0, epochs = 5, steps } = options
  if (!calibrationMethods.includes(method))
    throw new InvalidArgumentError('method', `one of ${calibrationMethods.join(', ')} (uniform needs no calibration)`, method)
  if (!estimatorNames.includes(estimator))
    throw new InvalidArgumentError('estimator', `one of ${estimatorNames.join(', ')}`, estimator)
  const { samples = 128, sequenceLength = method === 'dp-llm' ? 512 : 256 } = options
  checkTargets(memoryBudget, options.targets)
  checkWindows(samples, sequenceLength)
  if (samples < 2) throw new InvalidArgumentError('samples', 'at least 2 windows, one of them for meeting the targets', samples)
  if (sequenceLength < 2) throw new InvalidArgumentError('sequenceLength', 'at least 2 tokens', sequenceLength)
  checkCount('epochs', epochs)
  if (steps !== undefined) checkCount('steps', steps)
  const { name = `${method}-${memoryBudget}` } = options
  checkProfileName(name)
  const targets = [...new Set(options.targets)].sort((a, b) => a - b)
  return { memoryBudget, method, estimator, asynchronous, seed, epochs, steps, samples, sequenceLength, name, targets }
}

function checkTargets(memoryBudget: number, targets: readonly number[]): void {
  if (!(memoryBudget >= MIN_BITS && memoryBudget <= MAX_BITS))
    throw new InvalidArgumentError('memoryBudget', `a number of bits from ${MIN_BITS} to ${MAX_BITS}`, memoryBudget)
  if (targets.length === 0) throw new InvalidArgumentError('targets', 'at least one target', 'none')
  for (const target of targets)
    if (!(target >= MIN_BITS && target <= memoryBudget))
      throw new InvalidArgumentError('targets', `numbers of bits from ${MIN_BITS} to the budget's ${memoryBudget}`, target)
}

function checkCount(argument: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError(argument, 'a positive integer', value)
}
