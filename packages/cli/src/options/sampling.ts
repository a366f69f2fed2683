import type { GenerateOptions } from '@dpllm/runtime'
import { type Command, Option } from 'commander'
import { integer, number, repeated } from './parse.js'

/** Flags that say how tokens are chosen and when to stop. */
export interface SamplingFlags {
  readonly maxTokens?: number
  readonly temp: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
  readonly seed?: number
  readonly stop?: string[]
}

/** @param temperature the default */
export function addSamplingFlags(command: Command, temperature: number): Command {
  return command
    .addOption(
      new Option('-n, --max-tokens <count>', 'most tokens to generate (default: to the end of the context)').argParser(
        integer(1),
      ),
    )
    .addOption(
      new Option('--temp <value>', 'temperature; 0 always takes the most likely token').argParser(number).default(temperature),
    )
    .addOption(new Option('--top-k <count>', 'choose among the k most likely tokens; 0: all').argParser(integer(0)).default(40))
    .addOption(new Option('--top-p <probability>', 'choose among those that together reach this').argParser(number).default(0.95))
    .addOption(
      new Option('--min-p <ratio>', 'drop tokens less likely than this times the likeliest').argParser(number).default(0.05),
    )
    .addOption(new Option('-s, --seed <number>', 'same seed, same text (default: random)').argParser(integer(0, 2 ** 32 - 1)))
    .addOption(new Option('--stop <text>', 'end the answer before this text; may be repeated').argParser(repeated))
}

/** What they mean to the library. */
export function samplingOptions(flags: SamplingFlags): GenerateOptions {
  const { maxTokens, temp, topK, topP, minP, seed, stop } = flags
  return { maxTokens, temperature: temp, topK, topP, minP, seed, stop }
}
