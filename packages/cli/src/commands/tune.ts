import { tuneTables } from '@dpllm/calibration'
import { readText } from '@dpllm/core/node'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { integer, list } from '../options/parse.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { tuningTable } from '../output/tuning-table.js'

interface TuneFlags {
  readonly original: string
  readonly calib: string
  readonly out: string
  readonly steps?: number
  readonly bits?: readonly number[]
  readonly batch?: number
  readonly seqLen?: number
  readonly seed?: number
  readonly backend: 'auto' | 'cpu' | 'cuda' | 'reference'
  readonly threads?: number
  readonly overwrite?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm tune MODEL`: tunes the tables of a quantized model. */
export function addTune(program: Command, context: CommandContext): void {
  const command = program
    .command('tune')
    .description('bring a quantized model nearer to its original at 3 and 4 bits, by its tables alone')
    .argument('<model>', 'folder of the quantized model; imported ones, too')
    .requiredOption('--original <folder>', 'Hugging Face folder of the model that was quantized')
    .requiredOption('--calib <file>', 'text like that which the model will meet, of at least 16,000 tokens')
    .requiredOption('-o, --out <folder>', 'folder to make; the model itself with --overwrite')
    .addOption(new Option('--steps <count>', 'steps of training; 0: least squares alone (default: 400)').argParser(integer(0)))
    .addOption(
      new Option('--bits <list>', 'bit counts whose tables are tuned: some of 3,4,5 (default: 3,4)').argParser(
        list(integer(3, 5)),
      ),
    )
    .addOption(new Option('--batch <count>', 'windows for each step (default: 4)').argParser(integer(1)))
    .addOption(new Option('--seq-len <tokens>', 'tokens of a window (default: 256)').argParser(integer(2)))
    .addOption(new Option('-s, --seed <number>', 'same seed, same tables').argParser(integer(0, 2 ** 32 - 1)))
    .addOption(new Option('--backend <name>', 'what to run on').choices(['auto', 'cpu', 'cuda', 'reference']).default('auto'))
    .addOption(new Option('-t, --threads <count>', 'CPU threads (default: one for each core)').argParser(integer(1, 1024)))
    .option('--overwrite', 'replace a quantized model, or unfinished work, in the folder')
  addQuietFlag(command)
    .option('--json', 'print what was done as JSON')
    .action(async (model: string, flags: TuneFlags) => {
      const { io, interrupts } = context
      const calibrationText = await readText(flags.calib)
      interrupts.explain(`the steps done are kept in ${flags.out}.partial; the same command goes on from there`)
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const result = await tuneTables(flags.original, model, flags.out, {
        calibrationText,
        steps: flags.steps,
        bits: flags.bits,
        batch: flags.batch,
        sequenceLength: flags.seqLen,
        seed: flags.seed,
        backend: flags.backend,
        threads: flags.threads,
        overwrite: flags.overwrite,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json) return writeJson(io.stdout, { out: flags.out, ...result })
      io.stdout.write(tuningTable(result))
      const { profilesLeft } = result
      if (profilesLeft.length > 0)
        io.stdout.write(`profiles ${profilesLeft.join(', ')} belong to the tables before and were not copied: calibrate anew\n`)
    })
}
