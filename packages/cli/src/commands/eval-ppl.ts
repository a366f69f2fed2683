import { readText } from '@dpllm/core/node'
import { chunkLosses, type Protocol, perplexity } from '@dpllm/eval'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { contextOptions } from '../options/context-length.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { integer } from '../options/parse.js'
import { addPrecisionFlags, loadOptions, type PrecisionFlags, precisionRequest } from '../options/precision.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { addEvalBits } from './eval-bits.js'

/** Largest text that is read; the usual ones have a few MB. */
const MAX_TEXT_BYTES = 2 ** 28

interface EvalFlags extends BackendFlags, PrecisionFlags, LogFlags {
  readonly data: string
  readonly ctx?: number
  readonly protocol: Protocol
  readonly chunks?: number
  readonly batchSize?: number
  readonly json?: boolean
}

/** `dpllm eval`; `dpllm eval ppl MODEL --data FILE`: perplexity. */
export function addEval(program: Command, context: CommandContext): void {
  const group = program.command('eval').description('measure quality')
  addEvalBits(group, context)
  const command = group
    .command('ppl')
    .description('perplexity of a model on a text')
    .argument('<model>', 'folder of a model, quantized or original')
    .requiredOption('--data <file>', 'text to predict')
    .addOption(
      new Option('-c, --ctx <tokens>', 'tokens of a chunk (default: 512 for llama.cpp, 2048 for papers)').argParser(integer(1)),
    )
    .addOption(new Option('--protocol <name>', 'what is scored, and how').choices(['llama.cpp', 'papers']).default('llama.cpp'))
    .addOption(new Option('--chunks <count>', 'only the first so many').argParser(integer(1)))
    .addOption(
      new Option('-b, --batch-size <tokens>', 'tokens of a step; 1 does exactly what decoding does').argParser(integer(1)),
    )
  addLogFlags(addBackendFlags(addPrecisionFlags(command)))
    .option(
      '--json',
      'print one JSON object: perplexity, standardError, tokens, effectiveBits, method, the mean loss of each chunk …',
    )
    .action(async (directory: string, flags: EvalFlags) => {
      const request = precisionRequest(flags)
      const text = await readText(flags.data, { maxBytes: MAX_TEXT_BYTES })
      const load = { ...backendOptions(flags), ...loadOptions(flags), ...contextOptions(flags) }
      await using model = await openModel(directory, load, flags, context)
      const { method } = model.precision(request)
      using bar = createProgressBar(context.io.stderr, { quiet: flags.quiet ?? false })
      const { nll, ...result } = await perplexity(model, text, {
        ...request,
        protocol: flags.protocol,
        contextLength: flags.ctx,
        chunks: flags.chunks,
        batchSize: flags.batchSize,
        signal: context.interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json) {
        const losses = [...chunkLosses({ nll, chunks: result.chunks })]
        return writeJson(context.io.stdout, { ...result, method, targetBits: flags.targetBits, chunkLosses: losses })
      }
      const { perplexity: value, standardError, tokens, effectiveBits, chunks, contextLength } = result
      context.io.stdout.write(
        `perplexity ${value.toFixed(4)} ± ${standardError.toFixed(4)} at ${effectiveBits.toFixed(3)} effective bits\n`,
      )
      context.io.stdout.write(`${tokens} tokens scored in ${chunks} chunks of ${contextLength} (${result.protocol})\n`)
    })
}
