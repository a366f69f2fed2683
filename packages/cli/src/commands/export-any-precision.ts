import { exportAnyPrecision } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'

interface ExportAnyPrecisionFlags {
  readonly out: string
  readonly overwrite?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm export any-precision MODEL -o DIR`. */
export function addExportAnyPrecision(parent: Command, context: CommandContext): void {
  const command = parent
    .command('any-precision')
    .description("as Any-Precision LLM packs models, for its own loader and DP-LLM's code")
    .argument('<model>', 'folder of a quantized model')
    .requiredOption('-o, --out <folder>', 'folder to make')
    .option('--overwrite', 'replace a model in the folder')
  addQuietFlag(command)
    .option('--json', 'print what was made as JSON')
    .action(async (model: string, flags: ExportAnyPrecisionFlags) => {
      const { io, interrupts } = context
      interrupts.explain('nothing was written')
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const result = await exportAnyPrecision({
        model,
        out: flags.out,
        overwrite: flags.overwrite,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json) return writeJson(io.stdout, result)
      const { directory, modules, seedBits, maxBits, head } = result
      const heads = { dense: 'a dense head', tied: 'the head tied to the embedding' }
      io.stdout.write(`${directory}: ${modules} matrices at ${seedBits} to ${maxBits} bits, ${heads[head]}\n`)
    })
}
