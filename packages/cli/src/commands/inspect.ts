import { writeFileAtomic } from '@dpllm/core/node'
import { type Command, Option } from 'commander'
import { type CommandContext, UsageError } from '../context.js'
import { decisionChart } from '../inspect/decision-chart.js'
import { decisionText } from '../inspect/decision-table.js'
import { inspectModel, type ModelInspection } from '../inspect/inspect-model.js'
import { inspectProfile } from '../inspect/inspect-profile.js'
import { inspectionText } from '../inspect/inspect-table.js'
import { number } from '../options/parse.js'
import { writeJson } from '../output/json.js'

interface InspectFlags {
  readonly profile?: string
  readonly targetBits?: number
  readonly svg?: string
  readonly json?: boolean
}

/** `dpllm inspect MODEL`: what is in a model's folder; with --profile what that decides for every linear. */
export function addInspect(program: Command, { io }: CommandContext): void {
  program
    .command('inspect')
    .description('list the matrices and profiles of a model; with --profile, what it decides for every linear')
    .argument('<model>', 'folder of a model, quantized or original')
    .option('--profile <name>', 'the bits, thresholds and estimators of this adaptation profile')
    .addOption(new Option('--target-bits <bits>', 'of the profile (default: its middle target)').argParser(number))
    .option('--svg <file>', 'draw them, layers by modules')
    .option('--json', 'print everything as JSON')
    .action(async (directory: string, flags: InspectFlags) => {
      const model = await inspectModel(directory, flags.profile)
      const wanted = [flags.profile, flags.targetBits, flags.svg].some((flag) => flag !== undefined)
      const decisions = wanted ? await inspectProfile(model, profileName(model), flags.targetBits) : undefined
      if (decisions !== undefined && flags.svg !== undefined) await writeFileAtomic(flags.svg, await decisionChart(decisions))
      if (flags.json) return writeJson(io.stdout, { ...model, decisions })
      io.stdout.write(decisions === undefined ? inspectionText(model) : decisionText(decisions))
      if (flags.svg !== undefined) io.stdout.write(`\ndrawn in ${flags.svg}\n`)
    })
}

/** The only profile. @throws UsageError */
function profileName({ profiles }: ModelInspection): string {
  if (profiles.length === 1) return profiles[0].name
  const names = profiles.map(({ name }) => name).join(', ')
  throw new UsageError(
    `--target-bits and --svg are of a profile: ${names === '' ? 'the model has none' : `name one of ${names}`}`,
  )
}
