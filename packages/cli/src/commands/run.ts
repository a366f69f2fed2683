import { collect, type GenerateOptions, type GeneratePart, type Model } from '@dpllm/runtime'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { addContextFlag, type ContextFlag, contextOptions } from '../options/context-length.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { addPrecisionFlags, loadOptions, type PrecisionFlags, precisionRequest } from '../options/precision.js'
import { addSamplingFlags, type SamplingFlags, samplingOptions } from '../options/sampling.js'
import { describeAnswer } from '../output/answer.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { promptFrom } from '../prompt-source.js'

interface RunFlags extends BackendFlags, PrecisionFlags, SamplingFlags, ContextFlag, LogFlags {
  readonly prompt?: string
  readonly file?: string
  readonly json?: boolean
}

/** `dpllm run MODEL [PROMPT]`: continues a text. */
export function addRun(program: Command, context: CommandContext): void {
  const command = program
    .command('run')
    .alias('generate')
    .description('continue a text; the words come as they are generated')
    .argument('<model>', 'folder of a model, quantized or original')
    .argument('[prompt]', 'text to continue')
    .option('-p, --prompt <text>', 'text to continue')
    .option('-f, --file <path>', 'file with the text to continue; - for stdin')
  addLogFlags(addBackendFlags(addContextFlag(addPrecisionFlags(addSamplingFlags(command, 0.8)))))
    .option('--json', 'print one JSON object: text, tokens with their bits, effectiveBits, timings')
    .action(async (directory: string, argument: string | undefined, flags: RunFlags) => {
      const text = await promptFrom({ prompt: flags.prompt, argument, file: flags.file }, context.io)
      const load = { ...backendOptions(flags), ...loadOptions(flags), ...contextOptions(flags) }
      await using model = await openModel(directory, load, flags, context)
      const options = { ...samplingOptions(flags), ...precisionRequest(flags), signal: context.interrupts.signal }
      if (flags.json) await printJson(model, text, options, context)
      else await printText(model, text, options, flags, context)
    })
}

async function printJson(model: Model, prompt: string, options: GenerateOptions, { io }: CommandContext): Promise<void> {
  const { text, tokens, effectiveBits, timings, ...more } = await collect(model.generate(prompt, options))
  writeJson(io.stdout, { text, tokens, effectiveBits, timings, ...more })
}

async function printText(
  model: Model,
  prompt: string,
  options: GenerateOptions,
  { quiet = false }: LogFlags,
  { io }: CommandContext,
): Promise<void> {
  using bar = createProgressBar(io.stderr, { quiet })
  let last: GeneratePart | undefined
  try {
    for await (const part of model.generate(prompt, { ...options, onPromptProgress: bar.update })) {
      if (last === undefined) bar[Symbol.dispose]()
      io.stdout.write(part.text)
      last = part
    }
  } finally {
    if (last !== undefined && io.stdout.writable) io.stdout.write('\n')
  }
  if (last !== undefined && !quiet) io.stderr.write(`${describeAnswer(last)}\n`)
}
