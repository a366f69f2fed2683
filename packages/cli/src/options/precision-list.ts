import type { LoadOptions } from '@dpllm/runtime'
import { type Command, Option } from 'commander'
import { integer, list, number } from './parse.js'
import { addLoadFlags, type LoadFlags, loadOptions, precisionRequest } from './precision.js'

/** Flags of commands that measure several precisions. */
export interface PrecisionListFlags extends LoadFlags {
  readonly precision?: number[]
  readonly targetBits?: number[]
}

export function addPrecisionListFlags(command: Command): Command {
  return addLoadFlags(
    command
      .addOption(new Option('--precision <bits,...>', 'measure at these whole numbers of bits').argParser(list(integer(1, 8))))
      .addOption(new Option('--target-bits <bits,...>', 'measure at these targets of the profile').argParser(list(number))),
  )
}

/** Loads only what the most precise measurement reads. */
export function loadForAll(flags: PrecisionListFlags): Pick<LoadOptions, 'maxBits' | 'profile' | 'targetBits' | 'method'> {
  const { precision = [], targetBits = [], ...shared } = flags
  const whole = flags.method === 'uniform' ? [...precision, ...targetBits] : targetBits.length === 0 ? precision : []
  return loadOptions({
    ...shared,
    precision: whole.length === 0 ? undefined : Math.max(...whole),
    targetBits: whole.length === 0 ? targetBits[0] : undefined,
  })
}

/** What to ask the loaded model for, one after another; all that is loaded if the flags say nothing. */
export function precisionRequests(flags: PrecisionListFlags) {
  const { precision = [], targetBits = [], ...shared } = flags
  const requests = [
    ...precision.map((bits) => precisionRequest({ ...shared, method: undefined, targetBits: undefined, precision: bits })),
    ...targetBits.map((bits) => precisionRequest({ ...shared, targetBits: bits, precision: undefined })),
  ]
  return requests.length === 0 ? [precisionRequest({ ...shared, precision: undefined })] : requests
}
