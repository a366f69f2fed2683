import { chunkLosses, divergence, type PerplexityResult, type Protocol, perplexity, protocols, readDocuments } from '@dpllm/eval'
import type { Model } from '@dpllm/runtime'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { contextOptions } from '../options/context-length.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { integer } from '../options/parse.js'
import { addPrecisionFlags, loadOptions, type PrecisionFlags, precisionRequest } from '../options/precision.js'
import { writeJson } from '../output/json.js'
import { describeDivergence, describePerplexity } from '../output/perplexity-lines.js'
import { createProgressBar } from '../output/progress.js'
import { addEvalBits } from './eval-bits.js'
import { addEvalLatency } from './eval-latency.js'
import { addEvalTask } from './eval-task.js'

interface EvalFlags extends BackendFlags, PrecisionFlags, LogFlags {
  readonly data: string
  readonly field?: string
  readonly separator?: string
  readonly documents?: number
  readonly characters?: number
  readonly reference?: string
  readonly ctx?: number
  readonly protocol: Protocol
  readonly stride?: number
  readonly chunks?: number
  readonly batchSize?: number
  readonly json?: boolean
}

/** `dpllm eval`; `dpllm eval ppl MODEL --data FILE`: perplexity, and the divergence from another model. */
export function addEval(program: Command, context: CommandContext): void {
  const group = program.command('eval').description('measure quality')
  addEvalBits(group, context)
  addEvalLatency(group, context)
  addEvalTask(group, context)
  const command = group
    .command('ppl')
    .description('perplexity of a model on a text')
    .argument('<model>', 'folder of a model, quantized or original')
    .requiredOption('--data <file>', 'text to predict: a text, or documents as JSON lines, JSON or Parquet')
    .option('--field <name>', 'of documents: where their text is (default: text)')
    .option('--separator <text>', 'what stands between documents (default: two line ends)')
    .addOption(new Option('--documents <count>', 'only the first so many').argParser(integer(1)))
    .addOption(new Option('--characters <count>', 'only the first so many of the whole text').argParser(integer(1)))
    .option('--reference <model>', 'also compare with this model: KL divergence, agreement of the likeliest token')
    .addOption(
      new Option('-c, --ctx <tokens>', 'tokens of a chunk (default: 512 for llama.cpp, 2048 for papers, 1024 strided)').argParser(
        integer(1),
      ),
    )
    .addOption(new Option('--protocol <name>', 'what is scored, and how').choices(protocols).default('llama.cpp'))
    .addOption(new Option('--stride <tokens>', 'of strided windows (default: half of the context)').argParser(integer(1)))
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
      const text = await readDocuments(flags.data, flags)
      const backend = { ...backendOptions(flags), ...contextOptions(flags) }
      await using model = await openModel(directory, { ...backend, ...loadOptions(flags) }, flags, context)
      const { method } = model.precision(request)
      using bar = createProgressBar(context.io.stderr, { quiet: flags.quiet ?? false })
      const { ctx: contextLength, protocol, stride, chunks, batchSize } = flags
      const { signal } = context.interrupts
      const options = { ...request, contextLength, protocol, stride, chunks, batchSize, signal, onProgress: bar.update }
      const print = <Result extends Losses>(found: Result, describe: (result: Result) => string) => {
        bar[Symbol.dispose]()
        const { nll, chunkTokens, ...result } = found
        const losses = [...chunkLosses({ nll, chunks: result.chunks, chunkTokens })]
        if (!flags.json) context.io.stdout.write(describe(found))
        else writeJson(context.io.stdout, { ...result, chunkLosses: losses, method, targetBits: flags.targetBits })
      }
      if (flags.reference !== undefined) {
        await using reference: Model = await openModel(flags.reference, { ...backend, profile: false }, flags, context)
        return print(await divergence(model, reference, text, options), describeDivergence)
      }
      print(await perplexity(model, text, options), describePerplexity)
    })
}

/** What both commands find for each token; --json gives it for each chunk. */
type Losses = Pick<PerplexityResult, 'nll' | 'chunks' | 'chunkTokens'>
