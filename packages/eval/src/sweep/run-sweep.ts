import os from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { OnProgress } from '@dpllm/core'
import { z } from 'zod'
import { chooseJobs } from './choose-jobs.js'
import { type Claims, openClaims } from './claims.js'
import { type JobFailure, openResultStore, type ResultStore } from './result-store.js'
import { sweepFiles } from './sweep-files.js'
import { type SweepJob, shellCommand } from './sweep-job.js'
import type { RunRecord, SweepResult } from './sweep-result.js'

/** Between two looks at what others do: jobs take seconds to hours. */
const WAIT_MS = 200

export interface SweepOptions {
  /** Where results are kept; any number of processes may work on it at a time. */
  readonly folder: string
  /** Of `planSweep`. */
  readonly jobs: readonly SweepJob[]
  /** Does a job. @returns the object that its command prints; what it throws is the job's failure */
  readonly execute: (job: SweepJob) => Promise<unknown>
  /** Of the package that measures: part of every result. */
  readonly version: string
  readonly signal?: AbortSignal | undefined
  /** Finished jobs, whoever did them. */
  readonly onProgress?: OnProgress | undefined
  /** When this process begins a job, and when it has ended. */
  readonly onJob?: ((job: SweepJob, state: 'begins' | 'done' | 'failed', message?: string) => void) | undefined
}

/** What became of a sweep. */
export interface SweepSummary {
  readonly jobs: number
  /** With a result. */
  readonly finished: number
  /** Finished by this call. */
  readonly made: number
  readonly failures: readonly JobFailure[]
  /** Keys of jobs that need a result of one that failed. */
  readonly blocked: readonly string[]
}

/**
 * Works on a sweep until every job has a result or has failed, by this process or another. A job that has a result is not
 * done again; one whose process was killed is taken up by the next that looks, and goes on where its command can. A job that
 * fails does not end the sweep: it is tried again when the sweep is started again.
 * @throws the signal's reason; DpllmError ERR_DPLLM_WRITE
 */
export async function runSweep(options: SweepOptions): Promise<SweepSummary> {
  const { folder, jobs, signal, onProgress } = options
  const begun = Date.now()
  const store = await openResultStore(folder)
  const claims = await openClaims(sweepFiles(folder).claims)
  await store.writePlan(jobs)
  let made = 0
  for (;;) {
    signal?.throwIfAborted()
    const finished = await store.finished(jobs)
    const failures = await store.failuresSince(begun)
    onProgress?.({ stage: 'sweep', done: finished.size, total: jobs.length, unit: 'jobs' })
    const { ready, waiting, blocked } = chooseJobs(jobs, finished, new Set(failures.keys()))
    if (ready.length === 0 && waiting === 0) {
      await claims.removeDead()
      const found = jobs.flatMap(({ key }) => (finished.has(key) ? [] : (failures.get(key) ?? [])))
      return { jobs: jobs.length, finished: finished.size, made, failures: found, blocked }
    }
    const outcome = await workOnOne(ready, { store, claims, begun, options })
    if (outcome === 'done') made++
    // By chance, so that processes that turn each other away do not meet again.
    if (outcome === 'none') await setTimeout(WAIT_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
  }
}

interface Work {
  readonly store: ResultStore
  readonly claims: Claims
  readonly begun: number
  readonly options: SweepOptions
}

/** Does the first of the jobs that nobody else is at. */
async function workOnOne(ready: readonly SweepJob[], work: Work): Promise<'done' | 'failed' | 'none'> {
  const { store, claims, begun } = work
  for (const job of ready) {
    const claim = await claims.take(job.lock)
    if (claim === undefined) continue
    try {
      // Another may have ended it before the claim was free.
      if (await store.isFinished(job)) continue
      if ((await store.failuresSince(begun)).has(job.key)) continue
      return await doJob(job, work)
    } finally {
      await claim.release()
    }
  }
  return 'none'
}

async function doJob(job: SweepJob, { store, options }: Work): Promise<'done' | 'failed'> {
  const { execute, version, signal, onJob } = options
  onJob?.(job, 'begins')
  const started = new Date()
  const clock = performance.now()
  let value: SweepResult['value']
  try {
    value = z.record(z.string(), z.json()).parse(await execute(job))
  } catch (error) {
    signal?.throwIfAborted()
    const message = error instanceof Error ? error.message : String(error)
    await store.writeFailure({ key: job.key, message, time: Date.now() })
    onJob?.(job, 'failed', message)
    return 'failed'
  }
  await store.write(resultOf(job, value, version), runOf(job, started, (performance.now() - clock) / 1000))
  onJob?.(job, 'done')
  return 'done'
}

function resultOf(job: SweepJob, value: SweepResult['value'], version: string): SweepResult {
  const { key, kind, args, model, tables, method, label, memoryBudget, targetBits, dataset, deterministic, inputs, answers } = job
  return {
    format: 'dpllm-sweep-result',
    version: 1,
    key,
    kind,
    command: shellCommand(args),
    model,
    tables,
    method,
    label,
    memoryBudget,
    targetBits,
    dataset,
    deterministic,
    value,
    ...(answers !== undefined && { answers }),
    provenance: { version, inputs: Object.fromEntries(Object.entries(inputs).sort()) },
  }
}

function runOf({ key }: SweepJob, started: Date, seconds: number): RunRecord {
  const cpus = os.cpus()
  return {
    key,
    host: os.hostname(),
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    node: process.version,
    started: started.toISOString(),
    seconds: Math.round(seconds * 1000) / 1000,
  }
}
