import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { exists, readError, readJson, writeError, writeFileAtomic } from '@dpllm/core/node'
import { z } from 'zod'
import { planSchema } from './read-sweep-results.js'
import { sweepFiles } from './sweep-files.js'
import type { SweepJob } from './sweep-job.js'
import { formatSweepResult, type RunRecord, runRecordSchema, type SweepResult } from './sweep-result.js'

const failureSchema = z.object({ key: z.string(), message: z.string(), time: z.number() })

/** Why a job has no result. */
export interface JobFailure {
  readonly key: string
  readonly message: string
  /** Milliseconds since 1970. */
  readonly time: number
}

/**
 * A sweep's folder. Every file appears whole or not at all, is named by its job, and is the same whoever writes it, so that
 * folders of several machines can be put together by copying.
 */
export interface ResultStore {
  /** Says which jobs the folder is about. */
  writePlan(jobs: readonly SweepJob[]): Promise<void>
  /** Keys of the jobs that are finished. */
  finished(jobs: readonly SweepJob[]): Promise<Set<string>>
  isFinished(job: SweepJob): Promise<boolean>
  /** Failures since a time, by key. */
  failuresSince(time: number): Promise<Map<string, JobFailure>>
  /** The run record first: what has a result has one. */
  write(result: SweepResult, run: RunRecord): Promise<void>
  writeFailure(failure: JobFailure): Promise<void>
}

/** Makes the folders. @throws DpllmError ERR_DPLLM_WRITE, also from its functions */
export async function openResultStore(folder: string): Promise<ResultStore> {
  const { plan, results, answers, runs, failures } = sweepFiles(folder)
  for (const part of [results, answers, runs, failures])
    await mkdir(part, { recursive: true }).catch((error) => {
      throw writeError(part, error)
    })
  const fileIn = (part: string, key: string) => path.join(part, `${key}.json`)
  const makesAll = async ({ makes }: SweepJob) => makes === undefined || (await exists(makes))

  return {
    async writePlan(jobs) {
      const data = planSchema.parse({ format: 'dpllm-sweep-plan', version: 1, jobs: jobs.map(({ key }) => key) })
      await writeFileAtomic(plan, `${JSON.stringify(data, null, 2)}\n`)
    },
    async finished(jobs) {
      const there = new Set(await filesOf(results))
      const done = new Set<string>()
      const found = jobs.filter(({ key }) => there.has(`${key}.json`))
      for (const job of found) if (await makesAll(job)) done.add(job.key)
      // A profile that is gone is only missed by who still needs it: results may come from another machine.
      for (const { key } of found) if (jobs.every((job) => !job.needs.includes(key) || done.has(job.key))) done.add(key)
      return done
    },
    isFinished: async (job) => (await exists(fileIn(results, job.key))) && (await makesAll(job)),
    async failuresSince(time) {
      const found = new Map<string, JobFailure>()
      for (const file of await filesOf(failures)) {
        const parsed = failureSchema.safeParse(await readJson(path.join(failures, file)).catch(() => undefined))
        if (parsed.success && parsed.data.time >= time) found.set(parsed.data.key, parsed.data)
      }
      return found
    },
    async write(result, run) {
      await writeFileAtomic(fileIn(runs, result.key), `${JSON.stringify(runRecordSchema.parse(run), null, 2)}\n`)
      await writeFileAtomic(fileIn(results, result.key), formatSweepResult(result))
      await rm(fileIn(failures, result.key), { force: true })
    },
    async writeFailure(failure) {
      await writeFileAtomic(fileIn(failures, failure.key), `${JSON.stringify(failure)}\n`)
    },
  }
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => !file.startsWith('.') && file.endsWith('.json'))
  } catch (error) {
    throw readError(folder, error)
  }
}
