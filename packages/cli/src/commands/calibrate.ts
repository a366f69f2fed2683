import path from 'node:path'
import { type CalibrationMethod, calibrateModel, type EstimatorName, estimatorNames } from '@dpllm/calibration'
import { readText } from '@dpllm/core/node'
import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.js'
import { inspectModel } from '../inspect/inspect-model.js'
import { rangeText } from '../inspect/inspect-table.js'
import { addBackendFlags, type BackendFlags } from '../options/backend.js'
import { addQuietFlag } from '../options/log.js'
import { integer, list, number } from '../options/parse.js'
import { methods } from '../options/precision.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { measuredNear, targetTable } from '../output/target-table.js'

interface CalibrateFlags extends BackendFlags {
  readonly calib: string
  readonly memoryBudget: number
  readonly target: number[]
  /** `uniform` is refused by the library, which says why. */
  readonly method: CalibrationMethod
  readonly estimator?: EstimatorName
  readonly synchronous?: boolean
  readonly epochs?: number
  readonly steps?: number
  readonly seed: number
  readonly samples?: number
  readonly seqLen?: number
  readonly name?: string
  readonly workDir?: string
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
    .addOption(new Option('--method <name>', 'how bits are decided').choices(methods).default('budget'))
    .addOption(
      new Option('--estimator <kind>', 'of dp-llm: how errors are estimated (default: hybrid, as published)').choices(
        estimatorNames,
      ),
    )
    .option('--synchronous', "of dp-llm: estimate from each layer's own input, not from an earlier one")
    .addOption(
      new Option('--epochs <count>', 'of dp-llm: times that average bits are trained on the text (default: 5)').argParser(
        integer(1),
      ),
    )
    .addOption(
      new Option('--steps <count>', 'of dp-llm: steps of one window for each target instead of --epochs').argParser(integer(1)),
    )
    .addOption(new Option('-s, --seed <number>', 'same seed, same profile').argParser(integer(0, 2 ** 32 - 1)).default(0))
    .addOption(new Option('--samples <count>', 'windows of the text to use at most (default: 128)').argParser(integer(2)))
    .addOption(new Option('--seq-len <tokens>', 'tokens of a window (default: 256; dp-llm: 512)').argParser(integer(2)))
    .option('--name <name>', "the profile's name (default: METHOD-BUDGET)")
    .option('--work-dir <folder>', 'keep what is measured here, for other calibrations on the same model and text')
  addQuietFlag(addBackendFlags(command))
    .option('--json', 'print what was measured as JSON')
    .action(async (model: string, flags: CalibrateFlags) => {
      const { io, interrupts } = context
      const foreign = flags.method === 'dp-llm' ? undefined : ofDpLlm.find((flag) => flags[flag] !== undefined)
      if (foreign !== undefined) command.error(`error: --${foreign} belongs to --method dp-llm`)
      const { method, memoryBudget, name = `${method}-${memoryBudget}` } = flags
      const kept = flags.workDir ?? path.join(model, 'profiles', `${name}.partial`)
      interrupts.explain(`what was measured is kept in ${kept}; the same command goes on from there`)
      using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
      const made = await calibrateModel({
        model,
        calibrationText: await readText(flags.calib),
        memoryBudget,
        targets: flags.target,
        method,
        estimator: flags.estimator,
        asynchronous: !flags.synchronous,
        epochs: flags.epochs,
        steps: flags.steps,
        seed: flags.seed,
        samples: flags.samples,
        sequenceLength: flags.seqLen,
        name,
        workFolder: flags.workDir,
        backend: flags.backend,
        threads: flags.threads,
        signal: interrupts.signal,
        onProgress: bar.update,
      })
      bar[Symbol.dispose]()
      const { data } = made.profile
      const targets = measuredNear(data, flags.target)
      if (flags.json) return writeJson(io.stdout, { name, path: made.path, method, targets })
      io.stdout.write(targetTable(targets, data.policy.kind === 'static'))
      const { range } = (await inspectModel(model, name)).profiles[0]
      io.stdout.write(`profile ${name} written to ${made.path}; it serves all targets of ${rangeText(range!)} bits\n`)
    })
}

const ofDpLlm = ['estimator', 'synchronous', 'epochs', 'steps'] as const
