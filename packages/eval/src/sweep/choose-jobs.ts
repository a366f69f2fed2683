import type { SweepJob } from './sweep-job.js'

/** What can be done next. */
export interface Choice {
  /** In order of preference; others may be at some of them. */
  readonly ready: readonly SweepJob[]
  /** Jobs that will be ready once others are done. */
  readonly waiting: number
  /** Keys of jobs that will not be: what they need has failed. */
  readonly blocked: readonly string[]
}

/**
 * @param finished keys of jobs with a result
 * @param failed keys of jobs that were tried in vain
 */
export function chooseJobs(jobs: readonly SweepJob[], finished: ReadonlySet<string>, failed: ReadonlySet<string>): Choice {
  const open = jobs.filter(({ key }) => !finished.has(key) && !failed.has(key))
  const blocked = new Set<string>()
  // Needs come before what needs them, so that one pass finds chains, too.
  for (const { key, needs } of open)
    if (needs.some((need) => !finished.has(need) && (failed.has(need) || blocked.has(need)))) blocked.add(key)
  const possible = open.filter(({ key }) => !blocked.has(key))
  const isReady = ({ needs }: SweepJob) => needs.every((need) => finished.has(need))
  const first = possible.filter(({ last }) => !last)
  const candidates = first.length > 0 ? first : possible
  const ready = candidates.filter(isReady)
  return { ready, waiting: possible.length - ready.length, blocked: [...blocked] }
}
