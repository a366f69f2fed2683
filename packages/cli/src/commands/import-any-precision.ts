import { importAnyPrecision } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { formatCount } from '../output/format.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'

interface ImportAnyPrecisionFlags {
  readonly out: string
  readonly overwrite?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm import any-precision DIR -o OUT`. */
export function addImportAnyPrecision(parent: Command, context: CommandContext): void {
  const command = parent
    .command('any-precision')
    .description('a model that Any-Precision LLM packed')
    .argument('<folder>', 'its folder, with config.json and pytorch_model.bin or safetensors')
    .requiredOption('-o, --out <folder>', 'folder to make')
    .option('--overwrite', 'replace a model in the folder')
  addQuietFlag(command)
    .option('--json', 'print what was made as JSON')
    .action(async (source: string, flags: ImportAnyPrecisionFlags) => {
      const { io, interrupts } = context
      interrupts.explain('nothing was written')
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const result = await importAnyPrecision({
        source,
        out: flags.out,
        overwrite: flags.overwrite,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json) return writeJson(io.stdout, result)
      const { directory, parameters, layers, modules, seedBits, maxBits } = result
      io.stdout.write(
        `${directory}: ${formatCount(parameters)} weights, ${layers} layers, ${modules.length} matrices at ${seedBits} to ${maxBits} bits\n`,
      )
    })
}
