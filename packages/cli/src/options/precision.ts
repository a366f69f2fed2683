import type { LoadOptions, PrecisionRequest } from '@dpllm/runtime'
import { type Command, Option } from 'commander'
import { UsageError } from '../context.js'
import { integer, number, precision } from './parse.js'

/** Flags that say how precise a model is to be. */
export interface PrecisionFlags {
  readonly targetBits?: number | undefined
  readonly precision?: PrecisionRequest['precision']
  readonly maxBits?: number | undefined
  readonly profile?: string | undefined
}

export function addPrecisionFlags(command: Command): Command {
  return addLoadFlags(command)
    .addOption(
      new Option('--target-bits <bits>', 'average bits for each weight, decided per layer and token (3.5)').argParser(number),
    )
    .addOption(new Option('--precision <bits>', 'the same whole number of bits for every layer (4)').argParser(precision))
}

/** Only what says how much is loaded, for commands with lists of precisions. */
export function addLoadFlags(command: Command): Command {
  return command
    .addOption(new Option('--max-bits <bits>', 'load no more bits than these').argParser(integer(1, 8)))
    .option('--profile <name>', "adaptation profile (default: the model's only one, or one with the target)")
}

/**
 * How much of a model to load: for a fixed precision just its bits, for a target what its profile says, else everything.
 * @throws UsageError if flags contradict each other
 */
export function loadOptions(flags: PrecisionFlags): Pick<LoadOptions, 'maxBits' | 'profile' | 'targetBits'> {
  const { targetBits, maxBits, profile } = flags
  if (typeof flags.precision === 'number' && targetBits !== undefined)
    throw new UsageError('--precision BITS and --target-bits exclude each other')
  if (typeof flags.precision === 'number') return { maxBits: maxBits ?? flags.precision, profile: false }
  return { maxBits, profile, targetBits }
}

/** What to ask the loaded model for. */
export function precisionRequest({ targetBits, precision }: PrecisionFlags): PrecisionRequest {
  return { targetBits, precision }
}
