import { calibrationMethods } from '@dpllm/calibration'
import type { GenerateOptions, LoadOptions, PrecisionRequest } from '@dpllm/runtime'
import { type Command, Option } from 'commander'
import { UsageError } from '../context.js'
import { integer, number, precision } from './parse.js'

/** How bits are decided: the same for all linears, or by a profile that a calibration has made. */
export const methods = ['uniform', ...calibrationMethods] as const
export type MethodName = (typeof methods)[number]

/** Flags of commands with lists of precisions, too. */
export interface LoadFlags {
  readonly maxBits?: number | undefined
  readonly profile?: string | undefined
  readonly method?: MethodName | undefined
  readonly feedback?: boolean | undefined
}

/** Flags that say how precise a model is to be. */
export interface PrecisionFlags extends LoadFlags {
  readonly targetBits?: number | undefined
  readonly precision?: PrecisionRequest['precision']
}

export function addPrecisionFlags(command: Command): Command {
  return addLoadFlags(
    command
      .addOption(
        new Option('--target-bits <bits>', 'average bits for each weight, decided per layer and token (3.5)').argParser(number),
      )
      .addOption(new Option('--precision <bits>', 'the same whole number of bits for every layer (4)').argParser(precision)),
  )
}

/** Without those that say which precision, for commands that measure several. */
export function addLoadFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--method <name>', 'how bits are decided (default: by the profile, budget before others)').choices(methods),
    )
    .option('--no-feedback', 'let the bits of a target drift with the text instead of holding their mean')
    .addOption(new Option('--max-bits <bits>', 'load no more bits than these').argParser(integer(1, 8)))
    .option('--profile <name>', "adaptation profile (default: the model's only one, or one with the target)")
}

/**
 * How much of a model to load: for a fixed precision just its bits, for a target what its profile says, else everything.
 * @throws UsageError if flags contradict each other
 */
export function loadOptions(flags: PrecisionFlags): Pick<LoadOptions, 'maxBits' | 'profile' | 'targetBits' | 'method'> {
  const { targetBits, maxBits, profile, method, precision } = flags
  if (typeof precision === 'number' && targetBits !== undefined)
    throw new UsageError('--precision BITS and --target-bits exclude each other')
  if (typeof precision === 'number' && method !== undefined && method !== 'uniform')
    throw new UsageError(`--precision BITS is --method uniform; --method ${method} takes --target-bits`)
  const bits = typeof precision === 'number' ? precision : method === 'uniform' ? targetBits : undefined
  if (bits !== undefined) {
    if (!Number.isInteger(bits)) throw new UsageError(`--method uniform takes a whole number of bits, not ${bits}`)
    return { maxBits: maxBits ?? bits, profile: false }
  }
  return { maxBits, profile, targetBits, method }
}

/** What to ask the loaded model for. */
export function precisionRequest(flags: PrecisionFlags): PrecisionRequest & Pick<GenerateOptions, 'feedback'> {
  const { targetBits, precision, method, feedback } = flags
  return { targetBits, precision, method, feedback }
}
