import path from 'node:path'
import { FileFormatError } from '@dpllm/core'
import { readProfileData } from '@dpllm/runtime'
import { fileFingerprint } from './fingerprints.js'
import { flags, inputFlag, type Part } from './job-arguments.js'
import type { JobMaker } from './job-maker.js'
import type { Sweep, SweepMethod, SweepModel } from './sweep-file.js'
import type { SweepJob } from './sweep-job.js'

/** A model at the precisions of one method and budget. */
export interface Subject {
  readonly model: SweepModel
  readonly folder: Part
  readonly method: string
  readonly label: string
  readonly memoryBudget: number | null
  /** Null for an unquantized model's only one. */
  readonly targets: readonly (number | null)[]
  readonly precision: (target: number | null) => string[]
  readonly feedback: boolean | undefined
  /** The job that makes its profile. */
  readonly calibration: SweepJob | undefined
  /** Fingerprints of what the command does not name as a file. */
  readonly inputs: Readonly<Record<string, string>>
}

/** All that a sweep measures of one model, in the order of its file: the original first. */
export async function subjectsOf(sweep: Sweep, model: SweepModel, makeJob: JobMaker): Promise<Subject[]> {
  const subjects: Subject[] = []
  if (model.original !== undefined) subjects.push(unquantized(model, model.original))
  for (const method of sweep.methods) {
    if (method.method === 'uniform') subjects.push(uniform(sweep, model, method))
    else if (method.profile !== undefined) subjects.push(await profiled(sweep, model, method, method.profile))
    else for (const budget of sweep.budgets) subjects.push(await calibrated(sweep, model, method, budget, makeJob))
  }
  return subjects.filter(({ targets }) => targets.length > 0)
}

function unquantized(model: SweepModel, original: string): Subject {
  return {
    model,
    folder: { input: 'model', path: original },
    method: 'unquantized',
    label: 'unquantized',
    memoryBudget: null,
    targets: [null],
    precision: () => [],
    feedback: undefined,
    calibration: undefined,
    inputs: {},
  }
}

/** Whole numbers of bits have no budget: they load what they read. */
function uniform({ targets }: Sweep, model: SweepModel, { method, label }: SweepMethod): Subject {
  return {
    model,
    folder: { input: 'model', path: model.path },
    method,
    label,
    memoryBudget: null,
    targets: targets.filter(Number.isInteger),
    precision: (target) => flags({ precision: target ?? undefined }),
    feedback: undefined,
    calibration: undefined,
    inputs: {},
  }
}

async function profiled(sweep: Sweep, model: SweepModel, method: SweepMethod, profile: string): Promise<Subject> {
  const data = await readProfileData(model.path, profile)
  const file = path.join(model.path, 'profiles', `${profile}.json`)
  if (data.method !== method.method)
    throw new FileFormatError(file, `expected a profile of ${method.method}, found one of ${data.method}`, { item: 'method' })
  const inputs: Record<string, string> = { profile: await fileFingerprint(file) }
  if (data.policy.kind !== 'static')
    inputs.profileTensors = await fileFingerprint(path.join(model.path, 'profiles', `${profile}.safetensors`))
  return withProfile(sweep, model, method, { profile, budget: data.memoryBudget, inputs })
}

async function calibrated(
  sweep: Sweep,
  model: SweepModel,
  method: SweepMethod,
  budget: number,
  makeJob: JobMaker,
): Promise<Subject> {
  const { calibration: settings, run } = sweep
  const { text, label, ...rest } = settings!
  const { estimator, synchronous, epochs, steps } = method
  const targets = sweep.targets.filter((target) => target <= budget)
  const made = { ...rest, method: method.method, memoryBudget: budget, estimator, synchronous, epochs, steps }
  const base = { model, folder: { input: 'model', path: model.path }, method: method.method, label: method.label }
  const calibration = await makeJob.calibration(
    {
      ...base,
      memoryBudget: budget,
      targetBits: null,
      dataset: label ?? path.basename(text),
      inputs: {},
      calibration: undefined,
    },
    [
      ...['calibrate', base.folder, ...inputFlag('calib', text)],
      ...flags({ ...made, target: targets.join(','), backend: run.backend, threads: run.threads }),
    ],
  )
  return withProfile(sweep, model, method, { profile: calibration.profile, budget, inputs: {}, calibration: calibration.job })
}

function withProfile(
  { targets }: Sweep,
  model: SweepModel,
  { method, label, feedback }: SweepMethod,
  made: { profile: string; budget: number; inputs: Readonly<Record<string, string>>; calibration?: SweepJob },
): Subject {
  return {
    model,
    folder: { input: 'model', path: model.path },
    method,
    label,
    memoryBudget: made.budget,
    targets: targets.filter((target) => target <= made.budget),
    precision: (target) => flags({ profile: made.profile, method, targetBits: target ?? undefined }),
    feedback,
    calibration: made.calibration,
    inputs: made.inputs,
  }
}
