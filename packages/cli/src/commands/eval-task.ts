import {
  createPythonRunner,
  modelIdentity,
  type RunProgram,
  runTask,
  type SampleResult,
  type Task,
  type TaskSummary,
  tasks,
} from '@dpllm/eval'
import { Argument, type Command, Option } from 'commander'
import { type CommandContext, UsageError } from '../context.js'
import { openModel } from '../open-model.js'
import { addBackendFlags, type BackendFlags, backendOptions } from '../options/backend.js'
import { addContextFlag, type ContextFlag, contextOptions } from '../options/context-length.js'
import { addLogFlags, type LogFlags } from '../options/log.js'
import { integer } from '../options/parse.js'
import { addPrecisionFlags, loadOptions, type PrecisionFlags, precisionRequest } from '../options/precision.js'
import { writeJson } from '../output/json.js'
import { createProgressBar } from '../output/progress.js'
import { describeSample } from '../output/task-sample.js'
import { taskTable } from '../output/task-table.js'

interface EvalTaskFlags extends BackendFlags, PrecisionFlags, ContextFlag, LogFlags {
  readonly data: string
  readonly examples?: string
  readonly shots?: number
  readonly limit?: number
  readonly results?: string
  readonly show: number
  readonly maxTokens?: number
  readonly dynamicScoring?: boolean
  readonly specialTokens: boolean
  readonly allowCode?: boolean
  readonly json?: boolean
}

/** `dpllm eval task NAME MODEL --data FILE`: how well a model answers a task's questions. */
export function addEvalTask(group: Command, context: CommandContext): void {
  const command = group
    .command('task')
    .description('how well a model answers the questions of a task')
    .addArgument(
      new Argument('<task>', tasks.map(({ name, description }) => `${name}: ${description}`).join('; ')).choices(
        tasks.map(({ name }) => name),
      ),
    )
    .argument('<model>', 'folder of a model, quantized or original')
    .requiredOption('--data <file>', 'questions: JSON lines, JSON or Parquet (bbh: its folder)')
    .option('--examples <file>', 'where the examples before each question come from (default: see docs/eval.md)')
    .addOption(new Option('--shots <count>', "examples before each question (default: the task's)").argParser(integer(0, 100)))
    .addOption(new Option('--limit <count>', 'only the first so many questions').argParser(integer(1)))
    .option('--results <file>', 'add each result to this file (JSON lines); an interrupted run goes on where it was')
    .addOption(new Option('--show <count>', 'print the first so many questions with answers').argParser(integer(1)).default(0))
    .addOption(new Option('-n, --max-tokens <count>', "most tokens of an answer (default: the task's)").argParser(integer(1)))
    .option('--dynamic-scoring', 'log-likelihoods at the precision of decoding, not of prompts')
    .option('--no-special-tokens', 'prompts without the beginning token that the model expects')
    .option('--allow-code', 'run the programs that the model writes (mbpp), each with limits and without network')
  addLogFlags(addBackendFlags(addPrecisionFlags(addContextFlag(command))))
    .option('--json', 'print one JSON object: scores with standard errors, samples, effectiveBits, groups …')
    .action(async (name: string, directory: string, flags: EvalTaskFlags) => {
      const task = tasks.find((candidate) => candidate.name === name)!
      const summary = await evaluate(task, directory, flags, context)
      const { stdout } = context.io
      if (flags.json) writeJson(stdout, { task: name, targetBits: flags.targetBits, ...summary })
      else stdout.write(taskTable(name, summary))
    })
}

async function evaluate(task: Task, directory: string, flags: EvalTaskFlags, context: CommandContext): Promise<TaskSummary> {
  const { io, interrupts } = context
  const { data, examples, shots, limit, results: output } = flags
  const request = precisionRequest(flags)
  const load = { ...backendOptions(flags), ...loadOptions(flags), ...contextOptions(flags) }
  // Data and leave to run programs are looked at before gigabytes are loaded.
  const samples = await task.load({ data, examples, shots, runProgram: await programRunner(task, flags, context) })
  await using model = await openModel(directory, load, flags, context)
  using bar = createProgressBar(io.stderr, { quiet: flags.quiet ?? false })
  if (output !== undefined) interrupts.explain(`the same command goes on with ${output}`)
  const show = (result: SampleResult, index: number) => {
    if (index >= flags.show) return
    bar[Symbol.dispose]()
    const shown = flags.json ? io.stderr : io.stdout
    shown.write(describeSample(result))
  }
  const summary = await runTask(model, task, samples, {
    ...request,
    limit,
    output,
    identity: { ...(await modelIdentity(model)), arithmetic: flags.arithmetic ?? null },
    maxTokens: flags.maxTokens,
    dynamicScoring: flags.dynamicScoring,
    addSpecialTokens: flags.specialTokens,
    signal: interrupts.signal,
    onProgress: bar.update,
    onResult: show,
  })
  bar[Symbol.dispose]()
  if (summary.truncated > 0)
    io.stderr.write(
      `${summary.truncated} of ${summary.samples} prompts were longer than the context of ${model.config.contextLength} tokens and lost their beginning\n`,
    )
  return summary
}

/** @throws UsageError where programs would have to run and may not */
async function programRunner(task: Task, flags: EvalTaskFlags, { io }: CommandContext): Promise<RunProgram | undefined> {
  if (!task.runsPrograms) return undefined
  if (!flags.allowCode)
    throw new UsageError(`${task.name} runs programs that the model writes, on this machine: --allow-code if that is all right`)
  const { run, networkBlocked } = await createPythonRunner()
  if (!networkBlocked) io.stderr.write('programs cannot be kept from the network by the system here, only by Python\n')
  return run
}
