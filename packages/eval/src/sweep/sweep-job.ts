import type { JobKind } from './sweep-result.js'

/** One thing that a sweep measures: a command, what it depends on, and what its result is called. */
export interface SweepJob {
  readonly key: string
  readonly kind: JobKind
  /** Of `dpllm`, without its name: what decides the value. */
  readonly args: readonly string[]
  /** What is added when it runs: where unfinished work is kept. It does not change the value. */
  readonly workArgs: readonly string[]
  readonly model: string
  readonly tables: string | null
  readonly method: string
  readonly label: string
  readonly memoryBudget: number | null
  readonly targetBits: number | null
  readonly dataset: string
  readonly deterministic: boolean
  /** SHA-256 by input. */
  readonly inputs: Readonly<Record<string, string>>
  /** Keys of the jobs whose results must be there before. */
  readonly needs: readonly string[]
  /** What the job makes besides its result: it is not finished without this file. */
  readonly makes?: string | undefined
  /** File of prompts and answers, relative to the sweep's folder. */
  readonly answers?: string | undefined
  /** Of the jobs with the same lock one runs at a time. */
  readonly lock: string
  /** Runs when all others that can are done, so that nothing disturbs it. */
  readonly last: boolean
}

/** A command for a POSIX shell. */
export function shellCommand(args: readonly string[]): string {
  return ['dpllm', ...args].map(quoted).join(' ')
}

function quoted(arg: string): string {
  return /^[\w./:=@%+,-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`
}

/** One line about a job for people. */
export function describeJob({ kind, model, tables, label, memoryBudget, targetBits, dataset }: SweepJob): string {
  const parts = [
    kind,
    tables === null ? model : `${model} (${tables})`,
    memoryBudget === null ? label : `${label}, budget ${memoryBudget}`,
    ...(targetBits === null ? [] : [`${targetBits} bits`]),
    dataset,
  ]
  return parts.join(' · ')
}
