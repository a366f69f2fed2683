import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { inspectModel } from '../inspect/inspect-model.js'
import { inspectionText } from '../inspect/inspect-table.js'
import { writeJson } from '../output/json.js'

/** `dpllm inspect MODEL`: what is in a model's folder. */
export function addInspect(program: Command, { io }: CommandContext): void {
  program
    .command('inspect')
    .description('list the matrices of a model, their bits, and what profiles decide for them')
    .argument('<model>', 'folder of a model, quantized or original')
    .option('--profile <name>', 'only this adaptation profile')
    .option('--json', 'print everything as JSON')
    .action(async (directory: string, flags: { profile?: string; json?: boolean }) => {
      const model = await inspectModel(directory, flags.profile)
      if (flags.json) writeJson(io.stdout, model)
      else io.stdout.write(inspectionText(model))
    })
}
