import { type QuantizeModelOptions, quantizeModel, referenceModeQuantizer } from '@dpllm/calibration'
import { readText } from '@dpllm/core/node'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { bitRange, integer } from '../options/parse.js'
import { formatCount } from '../output/format.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { tuningTable } from '../output/tuning-table.js'

interface QuantizeFlags {
  readonly out: string
  readonly bits: { least: number; most: number }
  readonly seedBits?: number
  readonly headBits: number | 'none'
  readonly calib?: string | false
  readonly sensitivity?: 'fisher' | 'inputs' | 'none'
  readonly samples?: number
  readonly seqLen?: number
  readonly sensitivityDir?: string
  readonly lutTuning: boolean
  readonly tuneSteps?: number
  readonly referenceMode?: boolean
  readonly seed?: number
  readonly lutRefresh?: boolean
  readonly threads?: number
  readonly overwrite?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm quantize SRC -o OUT`: makes nested bit-planes of a model. */
export function addQuantize(program: Command, context: CommandContext): void {
  const command = program
    .command('quantize')
    .description('make one quantized model that can be read at any of several precisions')
    .argument('<source>', 'Hugging Face folder of the original model')
    .requiredOption('-o, --out <folder>', 'folder to make')
    .addOption(new Option('--bits <range>', 'fewest and most bits').argParser(bitRange).default({ least: 3, most: 8 }, '3-8'))
    .addOption(new Option('--seed-bits <bits>', 'fewest bits, as in --bits').argParser(integer(1, 8)))
    .addOption(
      new Option('--head-bits <bits>', 'bits of the output head; none leaves it as it is').argParser(headBits).default(8),
    )
    .option('--calib <file>', 'text that the model reads first to tell which weights matter (default: a page of ours)')
    .option('--no-calib', 'weigh all weights the same, without loading the model: as --sensitivity none')
    .addOption(
      new Option(
        '--sensitivity <kind>',
        'what tells how much weights matter: fisher (their gradients), inputs (how large inputs are) or none (default: fisher with native code)',
      ).choices(['fisher', 'inputs', 'none']),
    )
    .addOption(new Option('--samples <count>', 'windows of the text to use (default: 128; inputs: 8)').argParser(integer(1)))
    .addOption(new Option('--seq-len <tokens>', 'tokens of a window (default: 256)').argParser(integer(2)))
    .option('--sensitivity-dir <folder>', 'keep Fisher information here, for other runs on the same model and text')
    .option('--no-lut-tuning', 'leave the tables as clustering makes them; they are tuned if --calib gives a text of some length')
    .addOption(
      new Option('--tune-steps <count>', 'steps of tuning the tables; 0: least squares alone (default: 400)').argParser(
        integer(0),
      ),
    )
    .option('--reference-mode', "quantize by Any-Precision's own algorithm, to compare with ours")
    .addOption(new Option('--seed <number>', 'random seed of --reference-mode').argParser(integer(0, 2 ** 32 - 1)))
    .option('--lut-refresh', 'with --reference-mode: make every entry of a table the mean of the weights that have its code')
    .addOption(new Option('-t, --threads <count>', 'CPU threads (default: one for each core)').argParser(integer(1, 1024)))
    .option('--overwrite', 'replace a quantized model, or unfinished work, in the folder')
  addQuietFlag(command)
    .option('--json', 'print what was made as JSON')
    .action(async (source: string, flags: QuantizeFlags) => {
      if (!flags.referenceMode && (flags.seed !== undefined || flags.lutRefresh)) {
        command.error('error: --seed and --lut-refresh belong to --reference-mode; our own quantizer needs neither')
      }
      if (flags.calib === false && (flags.sensitivity ?? 'none') !== 'none') {
        command.error(`error: --sensitivity ${flags.sensitivity} needs a text; leave --no-calib out`)
      }
      if (!flags.lutTuning && flags.tuneSteps !== undefined)
        command.error('error: --tune-steps and --no-lut-tuning exclude each other')
      const { io, interrupts } = context
      const calibrationText = typeof flags.calib === 'string' ? await readText(flags.calib) : flags.calib
      interrupts.explain(`finished parts are kept in ${flags.out}.partial; the same command goes on from there`)
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const result = await quantizeModel(source, flags.out, {
        seedBits: flags.seedBits ?? flags.bits.least,
        maxBits: flags.bits.most,
        headBits: flags.headBits === 'none' ? false : flags.headBits,
        sensitivity: flags.sensitivity,
        calibrationText,
        samples: flags.samples,
        sequenceLength: flags.seqLen,
        sensitivityFolder: flags.sensitivityDir,
        tuning: tuningOption(flags),
        threads: flags.threads,
        overwrite: flags.overwrite ?? false,
        quantizer: flags.referenceMode ? referenceModeQuantizer(flags) : undefined,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      if (flags.json) return writeJson(io.stdout, { out: flags.out, ...result })
      const { modules, weights, resumedShards, quantizer, sensitivity, tuning } = result
      const resumed = resumedShards > 0 ? `, ${resumedShards} files from an earlier run` : ''
      io.stdout.write(
        `${flags.out}: ${modules.length} matrices with ${formatCount(weights)} weights (${quantizer} quantizer, sensitivity ${sensitivity}${resumed})\n`,
      )
      if (typeof tuning !== 'string') io.stdout.write(tuningTable(tuning))
      else if (flags.lutTuning && !flags.quiet) io.stderr.write(`tables were not tuned: ${tuning}\n`)
    })
}

/** Steps that are asked for are taken in any case; else tables are tuned where it pays. */
function tuningOption({ lutTuning, tuneSteps }: QuantizeFlags): QuantizeModelOptions['tuning'] {
  if (!lutTuning) return false
  return tuneSteps === undefined ? undefined : { steps: tuneSteps }
}

function headBits(text: string): number | 'none' {
  return text === 'none' ? 'none' : integer(1, 8)(text)
}
