import { requestBits } from '@dpllm/eval'
import type { Command } from 'commander'
import type { CommandContext } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { addPrecisionFlags, loadOptions, type PrecisionFlags, precisionRequest } from '../options/precision.js'
import { addPromptFlags, type PromptFlags, readPrompts } from '../options/prompts.js'
import { addSamplingFlags, type SamplingFlags, samplingOptions } from '../options/sampling.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { markdownTable } from '../output/table.js'

interface EvalBitsFlags extends BackendFlags, PrecisionFlags, SamplingFlags, PromptFlags, LogFlags {
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
  addLogFlags(addBackendFlags(addPrecisionFlags(addSamplingFlags(addPromptFlags(command), 0.8))))
    .option('--json', 'print one JSON object: mean, percentiles, the effective bits of every request')
    .action(async (directory: string, flags: EvalBitsFlags) => {
      const prompts = await readPrompts(flags)
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
