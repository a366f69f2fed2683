import path from 'node:path'
import { DpllmError } from '@dpllm/core'
import {
  describeJob,
  planSweep,
  readSweep,
  readSweepResults,
  runSweep,
  runsPrograms,
  type Sweep,
  type SweepJob,
  type SweepSummary,
  shellCommand,
} from '@dpllm/eval'
import { type Command, Option } from 'commander'
import { type CommandContext, UsageError } from '../context.js'
import { addQuietFlag } from '../options/log.js'
import { integer } from '../options/parse.js'
import { methods } from '../options/precision.js'
import { writeJson } from '../output/json.js'
import { sweepTable } from '../output/sweep-table.js'
import { startHelpers, threadsOfEach } from '../sweep/helpers.js'
import { parentSignal } from '../sweep/parent.js'
import { runJob } from '../sweep/run-job.js'
import { packageVersion } from '../version.js'

interface SweepFlags {
  readonly results?: string
  readonly processes: number
  readonly allowCode?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `dpllm sweep FILE`: measures all that one file describes, in as many processes as wanted, and goes on where it was ended. */
export function addSweep(program: Command, context: CommandContext): void {
  const command = program
    .command('sweep')
    .description('measure methods × targets × budgets × datasets as a file says; the same command goes on with an ended one')
    .argument('<file>', 'what to measure (docs/eval.md); its paths are relative to the current folder')
    .option('--results <folder>', 'where results are kept, a file for each (default: FILE without .json, and -results)')
    .addOption(new Option('--processes <count>', 'processes that work on it, here').argParser(integer(1, 256)).default(1))
    .option('--allow-code', 'run the programs that models write (mbpp), each with limits and without network')
    .option('--dry-run', 'print the commands of the jobs that have no result yet')
  addQuietFlag(command)
    .option('--json', 'print what became of the jobs as JSON')
    .action(async (file: string, flags: SweepFlags) => {
      const { io, interrupts } = context
      const folder = flags.results ?? path.join(path.dirname(file), `${path.basename(file, '.json')}-results`)
      const sweep = await readSweep(file, methods)
      checkPrograms(sweep, flags)
      const jobs = await planSweep(sweep, { folder, allowCode: flags.allowCode })
      if (flags.dryRun) {
        for (const job of await withoutResult(jobs, folder)) io.stdout.write(`${shellCommand(job.args)}\n`)
        return
      }
      interrupts.explain(`the same command goes on with ${folder}`)
      const summary = await work(file, jobs, folder, flags, context)
      if (flags.json) writeJson(io.stdout, { folder, ...summary })
      else io.stdout.write(sweepTable((await readSweepResults(folder)).results))
      if (summary.finished < summary.jobs) throw failed(summary, folder)
    })
}

async function work(
  file: string,
  jobs: readonly SweepJob[],
  folder: string,
  { processes, allowCode, quiet = false }: SweepFlags,
  context: CommandContext,
): Promise<SweepSummary> {
  const { stderr } = context.io
  using parent = parentSignal(context.interrupts.signal)
  const args = ['sweep', file, '--results', folder, ...(allowCode ? ['--allow-code'] : []), ...(quiet ? ['-q'] : [])]
  await using _ = startHelpers(processes - 1, args, { stderr, signal: parent.signal })
  let place = ''
  return await runSweep({
    folder,
    jobs,
    version: packageVersion(),
    signal: parent.signal,
    execute: (job) =>
      runJob([...job.args, ...job.workArgs], context, {
        signal: parent.signal,
        threads: threadsOfEach(processes),
        showProgress: !quiet && processes === 1 && stderr.isTTY === true,
      }),
    onProgress: ({ done, total }) => {
      place = `${done} of ${total} done`
    },
    onJob: (job, state, message) => {
      if (!quiet) stderr.write(`${place} · ${describeJob(job)}${state === 'failed' ? `: failed: ${message}` : `: ${state}`}\n`)
    },
  })
}

/** Before anything is loaded. */
function checkPrograms({ tasks }: Sweep, { allowCode }: SweepFlags): void {
  const running = tasks.find(({ task }) => runsPrograms(task))
  if (running !== undefined && !allowCode)
    throw new UsageError(
      `${running.task} runs programs that the model writes, on this machine: --allow-code if that is all right`,
    )
}

async function withoutResult(jobs: readonly SweepJob[], folder: string): Promise<readonly SweepJob[]> {
  const found = await readSweepResults(folder).catch(() => ({ results: [] }))
  const there = new Set(found.results.map(({ key }) => key))
  return jobs.filter(({ key }) => !there.has(key))
}

function failed({ jobs, failures, blocked }: SweepSummary, folder: string): DpllmError {
  const rest = blocked.length === 0 ? '' : `, ${blocked.length} more need their results`
  const [first] = failures
  const reason = first === undefined ? '' : `: ${first.key}: ${first.message}`
  return new DpllmError(
    'ERR_DPLLM_SWEEP',
    `${failures.length} of ${jobs} jobs failed${rest}${reason} (all are in ${path.join(folder, 'failures')}; the same command tries them again)`,
  )
}
