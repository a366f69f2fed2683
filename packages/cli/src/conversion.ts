import type { OnProgress } from '@dpllm/core'
import type { Command } from 'commander'
import type { CommandContext } from './context.js'
import { addQuietFlag } from './options/log.js'
import { writeJson } from './output/json.js'
import { createProgressBar } from './output/progress.js'

/** What a conversion is asked for, besides its source. */
export interface ConversionOptions {
  readonly out: string
  readonly overwrite: boolean
  readonly signal: AbortSignal
  readonly onProgress: OnProgress
}

interface ConversionFlags {
  readonly out: string
  readonly overwrite?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/**
 * Makes of `command`, which has a source as its only argument, one that makes a folder at once or not at all.
 * @param sayResult the line for people; with --json the result is printed
 */
export function addConversion<Flags, Result>(
  command: Command,
  { io, interrupts }: CommandContext,
  convert: (source: string, options: ConversionOptions, flags: Flags) => Promise<Result>,
  sayResult: (result: Result) => string,
): void {
  command.requiredOption('-o, --out <folder>', 'folder to make').option('--overwrite', 'replace a model in the folder')
  addQuietFlag(command)
    .option('--json', 'print what was made as JSON')
    .action(async (source: string, flags: ConversionFlags & Flags) => {
      interrupts.explain('nothing was written')
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const { out, overwrite = false } = flags
      const options = { out, overwrite, signal: interrupts.signal, onProgress: bar.update }
      const result = await convert(source, options, flags)
      bar[Symbol.dispose]()
      if (flags.json) return writeJson(io.stdout, result)
      io.stdout.write(`${sayResult(result)}\n`)
    })
}
