import { availableParallelism } from 'node:os'
import path from 'node:path'
import { emptyProfile, type StepProfile } from '@dpllm/core'
import { type BenchModel, bench, knownShapes, openEnergyMeter, randomModel } from '@dpllm/eval'
import { createBackend, type Model } from '@dpllm/runtime'
import { type Command, Option } from 'commander'
import { type CommandContext, UsageError } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { bitRange, integer, list } from '../options/parse.js'
import { addPrecisionListFlags, loadForAll, type PrecisionListFlags, precisionRequests } from '../options/precision-list.js'
import { type BenchFormat, type BenchLine, benchFormats, formatBench } from '../output/bench-table.js'
import { createProgressBar } from '../output/progress.js'
import { formatStepProfile } from '../output/step-profile-table.js'
import { runComparison } from './bench-compare.js'
import { runKernelBench } from './bench-kernels.js'

interface BenchFlags extends BackendFlags, PrecisionListFlags, LogFlags {
  readonly promptTokens: number[]
  readonly maxTokens: number[]
  readonly repetitions: number
  readonly warmup: number
  readonly batchSize: number
  readonly random?: string
  readonly layers?: number
  readonly vocab?: number
  readonly bits: { least: number; most: number }
  readonly seed: number
  readonly output: BenchFormat
  readonly json?: boolean
  readonly stepProfile?: boolean
  readonly powercap: string
  readonly kernels?: boolean
  readonly compare?: string[] | true
  readonly svg?: string
}

/** `dpllm bench MODEL` and `dpllm bench --random SHAPE`: tokens per second. */
export function addBench(program: Command, context: CommandContext): void {
  const command = program
    .command('bench')
    .description('measure speed: prompts of -p tokens (pp), generation of -n tokens (tg)')
    .argument('[model]', 'folder of a model, quantized or original')
    .addOption(
      new Option('-p, --prompt-tokens <counts>', 'lengths of prompts; 0 for none')
        .argParser(list(integer(0)))
        .default([512], '512'),
    )
    .addOption(
      new Option('-n, --max-tokens <counts>', 'numbers of tokens to generate; 0 for none')
        .argParser(list(integer(0)))
        .default([128], '128'),
    )
    .addOption(new Option('-r, --repetitions <count>', 'runs of each test').argParser(integer(1)).default(5))
    .addOption(new Option('--warmup <count>', 'runs before them that do not count').argParser(integer(0)).default(1))
    .addOption(new Option('-b, --batch-size <tokens>', 'tokens of a prompt that run at once').argParser(integer(1)).default(512))
    .addOption(new Option('--random <shape>', `random weights in the shapes of ${Object.keys(knownShapes).join(', ')}`))
    .addOption(new Option('--layers <count>', 'layers of the random model (default: all)').argParser(integer(1)))
    .addOption(new Option('--vocab <size>', 'vocabulary of the random model').argParser(integer(1)))
    .addOption(new Option('--bits <range>', 'bits of the random model').argParser(bitRange).default({ least: 3, most: 8 }, '3-8'))
    .addOption(new Option('-s, --seed <number>', 'seed of the random model').argParser(integer(0, 2 ** 32 - 1)).default(0))
    .addOption(new Option('-o, --output <format>', 'what to print').choices(benchFormats).default('md'))
    .option('--json', 'the same as -o json')
    .option('--kernels', 'measure the CPU kernels by themselves, at each --precision, against a plain read of memory')
    .addOption(
      new Option(
        '--compare [files]',
        'measure by turns, with these GGUF files in llama.cpp if node-llama-cpp is installed',
      ).argParser(list((file) => file)),
    )
    .option('--svg <file>', 'with --compare: draw tokens per second against bits')
    .addOption(
      new Option('--powercap <folder>', "where Linux shows the processors' energy counters").default('/sys/class/powercap'),
    )
    .option('--step-profile', 'say where the time of steps goes, on stderr and in JSON (CPU backend)')
  addLogFlags(addBackendFlags(addPrecisionListFlags(command))).action(
    async (directory: string | undefined, flags: BenchFlags) => {
      const format = flags.json ? 'json' : flags.output
      if (flags.kernels) return runKernelBench(flags, format, context)
      const stepProfile = flags.stepProfile ? emptyProfile() : undefined
      await using opened = await openSubject(directory, flags, context, stepProfile)
      const { model, name } = opened
      const { io, interrupts } = context
      if (flags.compare) {
        const threads = flags.threads ?? availableParallelism()
        return await runComparison({ name, model, requests: precisionRequests(flags), threads }, flags, format, context)
      }
      const lines: BenchLine[] = []
      const energyMeter = await openEnergyMeter(flags.powercap)
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      for (const request of precisionRequests(flags)) {
        const rows = await bench(model, {
          ...request,
          promptTokens: flags.promptTokens.filter((n) => n > 0),
          generatedTokens: flags.maxTokens.filter((n) => n > 0),
          repetitions: flags.repetitions,
          warmup: flags.warmup,
          batchSize: flags.batchSize,
          stepProfile,
          energyMeter,
          signal: interrupts.signal,
          onProgress: bar.update,
        })
        const { backend, weightBytes, parameters } = model
        const threads = backend.name === 'reference' ? 1 : (flags.threads ?? availableParallelism())
        lines.push(
          ...rows.map((row) => ({ model: name, size: weightBytes, params: parameters, backend: backend.name, threads, ...row })),
        )
      }
      bar[Symbol.dispose]()
      for (const { test, effectiveBits, stepProfile } of lines) {
        if (stepProfile?.steps) io.stderr.write(`${formatStepProfile(test, effectiveBits, stepProfile)}\n`)
      }
      io.stdout.write(formatBench(lines, format))
    },
  )
}

type Subject = BenchModel & Pick<Model, 'backend' | 'weightBytes' | 'parameters'> & AsyncDisposable

async function openSubject(directory: string | undefined, flags: BenchFlags, context: CommandContext, stepProfile?: StepProfile) {
  const { model, name } = await openNamed(directory, flags, context, stepProfile)
  return { model, name, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() }
}

async function openNamed(
  directory: string | undefined,
  flags: BenchFlags,
  context: CommandContext,
  stepProfile: StepProfile | undefined,
): Promise<{ model: Subject; name: string }> {
  const { random, layers, vocab, bits, seed } = flags
  if ((directory === undefined) === (random === undefined)) throw new UsageError('give a model, or --random SHAPE')
  if (random === undefined) {
    const model = await openModel(directory!, { ...backendOptions(flags), stepProfile, ...loadForAll(flags) }, flags, context)
    return { model, name: path.basename(path.resolve(directory!)) }
  }
  using bar = createProgressBar(context.io.stderr, { quiet: flags.quiet ?? false })
  const { backend: choice, ...options } = backendOptions(flags)
  const model = await randomModel(random, createBackend(choice, { ...options, stepProfile }), {
    layers,
    vocabularySize: vocab,
    seedBits: bits.least,
    maxBits: flags.maxBits ?? bits.most,
    seed,
    signal: context.interrupts.signal,
    onProgress: bar.update,
  })
  return { model, name: layers === undefined ? `random ${random}` : `random ${random}, ${layers} layers` }
}
