import path from 'node:path'
import { modelFingerprint } from '../tasks/model-identity.js'
import { fileFingerprint, sha256 } from './fingerprints.js'
import { argumentsOf, type Part } from './job-arguments.js'
import type { Subject } from './subjects.js'
import type { SweepJob } from './sweep-job.js'
import type { JobKind } from './sweep-result.js'

/** What a job is of, besides its command. */
export interface JobSubject
  extends Pick<Subject, 'model' | 'folder' | 'method' | 'label' | 'memoryBudget' | 'calibration' | 'inputs'> {
  readonly targetBits: number | null
  readonly dataset: string
}

export interface JobMaker {
  /** @param parts without --json */
  measurement(kind: Exclude<JobKind, 'calibration'>, subject: JobSubject, parts: readonly Part[]): Promise<SweepJob>
  /** A job that makes a profile, whose name says what it is made from. */
  calibration(subject: JobSubject, parts: readonly Part[]): Promise<{ readonly job: SweepJob; readonly profile: string }>
}

/** Characters of hashes in names: 2^40 of them are enough to tell the jobs of a sweep apart. */
const HASH_CHARACTERS = 10
const MAX_SLUG = 120

/** @param folder the sweep's, where work in progress is kept */
export function createJobMaker(folder: string): JobMaker {
  const fingerprints = new Map<string, Promise<string>>()
  /** Each input is read once, however many jobs have it. */
  const fingerprintOf = ({ input, path: file }: Exclude<Part, string>) => {
    const isModel = input === 'model' || input === 'reference'
    const id = `${isModel} ${file}`
    const found = fingerprints.get(id) ?? (isModel ? modelFingerprint(file) : fileFingerprint(file))
    fingerprints.set(id, found)
    return found
  }

  /** A command with fingerprints for paths, as text; and them by input. */
  const identify = async (parts: readonly Part[], more: Readonly<Record<string, string>>) => {
    const inputs: Record<string, string> = { ...more }
    for (const part of parts) if (typeof part !== 'string') inputs[part.input] = await fingerprintOf(part)
    const shown = parts.map((part) => (typeof part === 'string' ? part : `<${part.input}>`))
    return { inputs, hash: sha256(JSON.stringify({ shown, inputs: Object.entries(inputs).sort() })).slice(0, HASH_CHARACTERS) }
  }

  const jobOf = (kind: JobKind, subject: JobSubject, args: string[], { inputs, hash }: Awaited<ReturnType<typeof identify>>) => {
    const { model, method, label, memoryBudget, targetBits, dataset, calibration } = subject
    const names = [kind, model.label, model.tables, label, memoryBudget && `budget-${memoryBudget}`, targetBits, dataset]
    const job: SweepJob = {
      key: `${slug(names)}-${hash}`,
      kind,
      args,
      workArgs: [],
      model: model.label,
      tables: model.tables ?? null,
      method,
      label,
      memoryBudget,
      targetBits,
      dataset,
      deterministic: kind !== 'latency',
      inputs,
      needs: calibration === undefined ? [] : [calibration.key],
      lock: '',
      last: false,
    }
    return { ...job, lock: job.key }
  }

  return {
    async measurement(kind, subject, parts) {
      const identity = await identify(parts, subject.inputs)
      const job = jobOf(kind, subject, [...argumentsOf(parts), '--json'], identity)
      if (kind === 'latency') return { ...job, lock: 'latency', last: true }
      if (kind !== 'task') return job
      const answers = `answers/${job.key}.jsonl`
      return { ...job, answers, workArgs: ['--results', path.join(folder, answers)] }
    },
    async calibration(subject, parts) {
      const identity = await identify(parts, subject.inputs)
      const profile = `${slug([subject.label, subject.memoryBudget])}-${identity.hash}`
      const args = [...argumentsOf(parts), '--name', profile, '--json']
      const job = jobOf('calibration', subject, args, identity)
      const directory = argumentsOf([subject.folder])[0]
      return {
        profile,
        job: {
          ...job,
          workArgs: ['--work-dir', path.join(folder, 'work')],
          makes: path.join(directory, 'profiles', `${profile}.json`),
          // Calibrations of one model share what they measure.
          lock: `calibration-${identity.inputs.model.slice(0, HASH_CHARACTERS)}`,
        },
      }
    },
  }
}

/** Lower-case letters, digits, dots and dashes. */
function slug(parts: readonly (string | number | null | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined && part !== null && part !== '')
    .map((part) =>
      String(part)
        .toLowerCase()
        .replace(/[^a-z0-9.]+/g, '-')
        .replace(/^[-.]+|[-.]+$/g, ''),
    )
    .filter((part) => part !== '')
    .join('-')
    .slice(0, MAX_SLUG)
}
