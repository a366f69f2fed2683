import path from 'node:path'

/** The files of a sweep's folder. What decides is in `results`; everything else can be made again, or says how it went. */
export interface SweepFiles {
  /** The jobs of the sweep that was last started here. */
  readonly plan: string
  /** A file for each finished job. */
  readonly results: string
  /** Prompts and answers of each task. */
  readonly answers: string
  /** When and where each result was made. */
  readonly runs: string
  /** Who is working on what. */
  readonly claims: string
  /** What went wrong in jobs that have no result. */
  readonly failures: string
}

export function sweepFiles(folder: string): SweepFiles {
  const at = (name: string) => path.join(folder, name)
  return {
    plan: at('plan.json'),
    results: at('results'),
    answers: at('answers'),
    runs: at('runs'),
    claims: at('claims'),
    failures: at('failures'),
  }
}
