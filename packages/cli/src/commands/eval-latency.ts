import { measureLatency } from '@dpllm/eval'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { integer } from '../options/parse.js'
import { addPrecisionListFlags, loadForAll, type PrecisionListFlags, precisionRequests } from '../options/precision-list.js'
import { addPromptFlags, type PromptFlags, readPrompts } from '../options/prompts.js'
import { addSamplingFlags, type SamplingFlags, samplingOptions } from '../options/sampling.js'
import { writeJson } from '../output/json.js'
import { latencyTable } from '../output/latency-table.js'
import { createProgressBar } from '../output/progress.js'

interface EvalLatencyFlags extends BackendFlags, PrecisionListFlags, SamplingFlags, PromptFlags, LogFlags {
  readonly texts: number
  readonly overheadRounds: number
  readonly json?: boolean
}

/** `dpllm eval latency MODEL --prompts FILE --target-bits 3.5,4`: what users wait for, and the bits that they get. */
export function addEvalLatency(group: Command, context: CommandContext): void {
  const command = group
    .command('latency')
    .description('time to first token, time per token and bits of single requests, at several precisions by turns')
    .argument('<model>', 'folder of a model, quantized or original')
  addLogFlags(addBackendFlags(addPrecisionListFlags(addSamplingFlags(addPromptFlags(command), 0.8))))
    .addOption(new Option('--texts <count>', 'answers to give token by token, with --json').argParser(integer(0)).default(3))
    .addOption(
      new Option('--overhead-rounds <count>', 'rounds of decoding with decisions and without; 0: none')
        .argParser(integer(0))
        .default(7),
    )
    .option('--json', 'print one JSON object: spreads, selector overhead, bits by linear and place, tokens with their bits')
    .action(async (directory: string, flags: EvalLatencyFlags) => {
      const prompts = await readPrompts(flags)
      await using model = await openModel(directory, { ...backendOptions(flags), ...loadForAll(flags) }, flags, context)
      using bar = createProgressBar(context.io.stderr, { quiet: flags.quiet ?? false })
      const result = await measureLatency(model, prompts, {
        ...samplingOptions(flags),
        requests: precisionRequests(flags),
        promptTokens: flags.promptTokens,
        texts: flags.texts,
        overheadRounds: flags.overheadRounds,
        signal: context.interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      const { name, description } = model.backend
      if (flags.json) writeJson(context.io.stdout, { backend: name, description, requests: prompts.length, ...result })
      else context.io.stdout.write(latencyTable(result.targets))
    })
}
