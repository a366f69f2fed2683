import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { formatBytes } from '../output/format.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { pullModel } from '../pull/pull-model.js'

interface PullFlags {
  readonly out?: string
  readonly revision?: string
  readonly hub?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm pull OWNER/NAME`: fetches a model from a hub; the only command that uses the network. */
export function addPull(program: Command, context: CommandContext): void {
  const command = program
    .command('pull')
    .description('fetch a model from the Hugging Face hub (HF_TOKEN for models behind a licence, HF_ENDPOINT for a mirror)')
    .argument('<repository>', 'such as meta-llama/Llama-3.2-1B')
    .option('-o, --out <folder>', "folder to fill (default: the model's name)")
    .option('--revision <name>', 'branch, tag or commit')
    .option('--hub <url>', 'another hub')
  addQuietFlag(command)
    .option('--json', 'print what was fetched as JSON')
    .action(async (repository: string, flags: PullFlags) => {
      const { io, interrupts } = context
      const out = flags.out ?? repository.split('/').at(-1)!
      const { HF_TOKEN, HF_ENDPOINT } = process.env
      interrupts.explain(`whole files are kept in ${out}; the same command goes on from there`)
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const result = await pullModel(repository, {
        out,
        revision: flags.revision,
        hubUrl: flags.hub ?? (HF_ENDPOINT || undefined),
        accessToken: HF_TOKEN || undefined,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json) return writeJson(io.stdout, result)
      io.stdout.write(`${result.directory}: ${result.files.length} files, ${formatBytes(result.bytes)}\n`)
    })
}
