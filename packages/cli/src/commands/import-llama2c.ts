import { importLlama2c } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { formatCount } from '../output/format.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'

interface ImportLlama2cFlags {
  readonly tokenizer: string
  readonly out: string
  readonly overwrite?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm import llama2c CHECKPOINT --tokenizer FILE -o OUT`. */
export function addImportLlama2c(parent: Command, context: CommandContext): void {
  const command = parent
    .command('llama2c')
    .description('a llama2.c checkpoint of version 0 with its tokenizer')
    .argument('<checkpoint>', 'file such as stories15M.bin')
    .requiredOption('--tokenizer <file>', 'its tokenizer.bin')
    .requiredOption('-o, --out <folder>', 'folder to make')
    .option('--overwrite', 'replace a model in the folder')
  addQuietFlag(command)
    .option('--json', 'print what was made as JSON')
    .action(async (checkpoint: string, flags: ImportLlama2cFlags) => {
      const { io, interrupts } = context
      interrupts.explain('nothing was written')
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const result = await importLlama2c({
        checkpoint,
        tokenizer: flags.tokenizer,
        out: flags.out,
        overwrite: flags.overwrite ?? false,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json) return writeJson(io.stdout, result)
      const { directory, parameters, layers, vocabularySize } = result
      io.stdout.write(`${directory}: ${formatCount(parameters)} weights, ${layers} layers, a vocabulary of ${vocabularySize}\n`)
    })
}
