import { calibrateModel } from '@dpllm/calibration'
import { readText } from '@dpllm/core/node'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.js'
import { addBackendFlags, type BackendFlags } from '../options/backend.js'
import { addQuietFlag } from '../options/log.js'
import { integer, list, number } from '../options/parse.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { markdownTable } from '../output/table.js'

interface CalibrateFlags extends BackendFlags {
  readonly calib: string
  readonly memoryBudget: number
  readonly target: number[]
  readonly method: string
  readonly estimator: 'projection' | 'exact'
  readonly seed: number
  readonly samples?: number
  readonly seqLen?: number
  readonly name?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm calibrate MODEL`: makes a profile that decides bits per layer and token. */
export function addCalibrate(program: Command, context: CommandContext): void {
  const command = program
    .command('calibrate')
    .description('find out, on a text, which layers need how many bits for which tokens')
    .argument('<model>', 'folder of a quantized model; the profile is written into it')
    .requiredOption('--calib <file>', 'text like that which the model will meet')
    .requiredOption('--memory-budget <bits>', 'average bits for each weight that may be loaded', number)
    .requiredOption('--target <bits,...>', 'average bits for each weight that tokens shall read: 3.5,4', list(number))
    .option('--method <name>', 'how bits are decided; this version knows dp-llm', 'dp-llm')
    .addOption(
      new Option('--estimator <kind>', 'how errors are estimated').choices(['projection', 'exact']).default('projection'),
    )
    .addOption(new Option('-s, --seed <number>', 'same seed, same profile').argParser(integer(0, 2 ** 32 - 1)).default(0))
    .addOption(new Option('--samples <count>', 'windows of the text to use').argParser(integer(1)))
    .addOption(new Option('--seq-len <tokens>', 'tokens of a window').argParser(integer(2)))
    .option('--name <name>', "the profile's name (default: METHOD-BUDGET)")
  addQuietFlag(addBackendFlags(command))
    .option('--json', 'print what was measured as JSON')
    .action(async (model: string, flags: CalibrateFlags) => {
      const { io, interrupts } = context
      interrupts.explain('nothing was written')
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const { profile, path } = await calibrateModel({
        model,
        calibrationText: await readText(flags.calib),
        memoryBudget: flags.memoryBudget,
        targets: flags.target,
        method: flags.method,
        estimator: flags.estimator,
        seed: flags.seed,
        samples: flags.samples,
        sequenceLength: flags.seqLen,
        name: flags.name,
        backend: flags.backend,
        threads: flags.threads,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      const targets = profile.data.targets.map(({ targetBits, measuredBits }) => ({ targetBits, measuredBits }))
      if (flags.json) return writeJson(io.stdout, { name: profile.name, path, method: profile.data.method, targets })
      io.stdout.write(
        markdownTable(
          [
            { title: 'target bits', right: true },
            { title: 'bits on the calibration text', right: true },
          ],
          targets.map((t) => [String(t.targetBits), t.measuredBits.toFixed(3)]),
        ),
      )
      io.stdout.write(`profile ${profile.name} written to ${path}\n`)
    })
}
