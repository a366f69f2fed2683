import { importDpLlm } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { markdownTable } from '../output/table.js'

interface ImportDpLlmFlags {
  readonly model: string
  readonly name?: string
  readonly overwrite?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm import dp-llm DIR… --model MODEL`. */
export function addImportDpLlm(parent: Command, context: CommandContext): void {
  const command = parent
    .command('dp-llm')
    .description("a profile from the files of DP-LLM's own code")
    .argument('<folders...>', 'folders with T_d.pt and its companions, one for each target of the same memory budget')
    .requiredOption('--model <folder>', 'the quantized model that they are for; the profile is written into it')
    .option('--name <name>', "the profile's name (default: dp-llm-BUDGET-imported)")
    .option('--overwrite', 'replace a profile of that name')
  addQuietFlag(command)
    .option('--json', 'print what was made as JSON')
    .action(async (folders: string[], flags: ImportDpLlmFlags) => {
      const { io, interrupts } = context
      interrupts.explain('nothing was written')
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const { profile, path, estimators } = await importDpLlm({
        source: folders,
        model: flags.model,
        name: flags.name,
        overwrite: flags.overwrite,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json)
        return writeJson(io.stdout, { name: profile.name, path, memoryBudget: profile.data.memoryBudget, estimators })
      const columns = ['target bits', 'fixed', 'linear estimates', 'projections'].map((title) => ({ title, right: true }))
      const rows = estimators.map((e) => [e.targetBits, e.none, e.linear, e.projection].map(String))
      io.stdout.write(markdownTable(columns, rows))
      io.stdout.write(`profile ${profile.name} written to ${path}\n`)
    })
}
