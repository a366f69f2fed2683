import { InvalidArgumentError, isJsonObject } from '@dpllm/core'
import { readText } from '@dpllm/core/node'
import { requestBits } from '@dpllm/eval'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { integer } from '../options/parse.js'
import { addPrecisionFlags, loadOptions, type PrecisionFlags, precisionRequest } from '../options/precision.js'
import { addSamplingFlags, type SamplingFlags, samplingOptions } from '../options/sampling.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { markdownTable } from '../output/table.js'

interface EvalBitsFlags extends BackendFlags, PrecisionFlags, SamplingFlags, LogFlags {
  readonly prompts: string
  readonly requests: number
  readonly promptTokens: number
  readonly json?: boolean
}

/** Tokens of each answer, as in DP-LLM's latency measurements. */
const ANSWER_TOKENS = 100

/** `dpllm eval bits MODEL --prompts FILE`: the effective bits that single requests get. */
export function addEvalBits(group: Command, context: CommandContext): void {
  const command = group
    .command('bits')
    .description('the effective bits that single requests really get at a target: mean and spread over prompts')
    .argument('<model>', 'folder of a quantized model with a profile')
    .requiredOption('--prompts <file>', 'one prompt on each line; of JSON lines their "prompt" or "text"')
    .addOption(new Option('--requests <count>', 'only the first so many prompts').argParser(integer(1)).default(100))
    .addOption(new Option('--prompt-tokens <count>', 'only the first so many tokens of each').argParser(integer(1)).default(64))
  addLogFlags(addBackendFlags(addPrecisionFlags(addSamplingFlags(command, 0.8))))
    .option('--json', 'print one JSON object: mean, percentiles, the effective bits of every request')
    .action(async (directory: string, flags: EvalBitsFlags) => {
      const prompts = promptsOf(await readText(flags.prompts), flags.requests)
      await using model = await openModel(directory, { ...backendOptions(flags), ...loadOptions(flags) }, flags, context)
      using bar = createProgressBar(context.io.stderr, { quiet: flags.quiet ?? false })
      const { maxTokens = ANSWER_TOKENS, ...sampling } = samplingOptions(flags)
      const result = await requestBits(model, prompts, {
        ...sampling,
        ...precisionRequest(flags),
        maxTokens,
        promptTokens: flags.promptTokens,
        signal: context.interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json)
        return writeJson(context.io.stdout, { targetBits: flags.targetBits, requests: prompts.length, maxTokens, ...result })
      const { mean, percentiles } = result
      const columns = ['requests', 'mean bits', '1 %', '50 %', '90 %', '99 %'].map((title) => ({ title, right: true }))
      const values = [mean, ...Object.values(percentiles)].map((bits) => bits.toFixed(4))
      context.io.stdout.write(markdownTable(columns, [[String(prompts.length), ...values]]))
    })
}

/** @throws InvalidArgumentError if there is none */
function promptsOf(text: string, count: number): string[] {
  const prompts = text
    .split('\n')
    .map(promptOf)
    .filter((prompt) => prompt !== '')
  if (prompts.length === 0) throw new InvalidArgumentError('prompts', 'a file with a prompt on a line', 'none')
  return prompts.slice(0, count)
}

function promptOf(line: string): string {
  const trimmed = line.trim()
  if (!trimmed.startsWith('{')) return trimmed
  try {
    const value: unknown = JSON.parse(trimmed)
    const prompt = isJsonObject(value) ? (value.prompt ?? value.text) : undefined
    return typeof prompt === 'string' ? prompt.trim() : trimmed
  } catch {
    return trimmed
  }
}
