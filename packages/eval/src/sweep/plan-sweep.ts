import { InvalidArgumentError } from '@dpllm/core'
import { tasks } from '../tasks/tasks.js'
import { flags, type Part, perplexityParts, requestParts, taskParts } from './job-arguments.js'
import { createJobMaker, type JobMaker } from './job-maker.js'
import { type Subject, subjectsOf } from './subjects.js'
import type { Sweep } from './sweep-file.js'
import type { SweepJob } from './sweep-job.js'

/** A sweep of more is a mistake in its file: at a minute for each, these take a week. */
const MAX_JOBS = 10_000

export interface PlanOptions {
  /** The sweep's folder. */
  readonly folder: string
  /** Whether tasks may run programs that models write. Default false. */
  readonly allowCode?: boolean | undefined
}

/**
 * The jobs of a sweep, those that others need before them: every model, method, budget, target and dataset, once.
 * @throws FileFormatError for inputs that are missing, InvalidArgumentError for more jobs than anybody waits for
 */
export async function planSweep(sweep: Sweep, { folder, allowCode = false }: PlanOptions): Promise<SweepJob[]> {
  const makeJob = createJobMaker(folder)
  const jobs: SweepJob[] = []
  for (const model of sweep.models)
    for (const subject of await subjectsOf(sweep, model, makeJob)) {
      if (subject.calibration !== undefined) jobs.push(subject.calibration)
      jobs.push(...(await measurementsOf(sweep, subject, makeJob, allowCode)))
      if (jobs.length > MAX_JOBS) throw new InvalidArgumentError('sweep', `at most ${MAX_JOBS} jobs`, 'more')
    }
  // A model that is the original of several others is measured once.
  return [...new Map(jobs.map((job) => [job.key, job])).values()]
}

async function measurementsOf(sweep: Sweep, subject: Subject, makeJob: JobMaker, allowCode: boolean): Promise<SweepJob[]> {
  const { model, folder, method, label, memoryBudget, targets, precision, feedback, calibration, inputs } = subject
  const { backend, threads, arithmetic, kvCache } = sweep.run
  const jobs: SweepJob[] = []
  for (const target of targets) {
    const common = [
      ...precision(target),
      ...(feedback === false ? ['--no-feedback'] : []),
      ...flags({ backend, threads, arithmetic, kvCache }),
    ]
    const add = async (kind: 'perplexity' | 'task' | 'bits' | 'latency', dataset: string, parts: readonly Part[]) => {
      const of = { model, folder, method, label, memoryBudget, targetBits: target, dataset, calibration, inputs }
      jobs.push(await makeJob.measurement(kind, of, [...parts, ...common]))
    }
    const original = method === 'unquantized' ? undefined : model.original
    for (const text of sweep.perplexity) await add('perplexity', text.label, perplexityParts(folder, text, original))
    for (const task of sweep.tasks)
      await add('task', task.label ?? task.task, taskParts(folder, task, allowCode && runsPrograms(task.task)))
    // Those of the same bits everywhere are known.
    if (memoryBudget !== null)
      for (const requests of sweep.bits) await add('bits', requests.label, requestParts('bits', folder, requests))
    for (const requests of sweep.latency) await add('latency', requests.label, requestParts('latency', folder, requests))
  }
  return jobs
}

/** Whether a task of this name runs what the model writes. */
export function runsPrograms(task: string): boolean {
  return tasks.find(({ name }) => name === task)?.runsPrograms ?? false
}
