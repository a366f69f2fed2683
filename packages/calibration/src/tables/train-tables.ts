import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BitPlaneWeight, DpllmError } from '@dpllm/core'
import { type BackendName, loadModel, type Model } from '@dpllm/runtime'
import { calibrationWindows } from '../calibrate/windows.js'
import { createDistillation, type Distillation } from './distillation.js'
import { type Divergences, helped, measureDivergences, measuredBits } from './hold-out.js'
import { mixBoundaries } from './mix-boundaries.js'
import { checkQuantizedFrom, loadStudent, originalOf } from './quantized-from.js'
import { rowDeviations } from './row-deviations.js'
import { trainStep } from './train.js'
import { type TrainedTable, tablesOf } from './trained-tables.js'
import type { TuneRunOptions, TuneSettings } from './tune-settings.js'
import { writeTunedTables } from './tuned-tables-file.js'
import { readState, TUNING_STATE_FILE, writeState } from './tuning-state.js'
import { type SplitWindows, splitWindows, windowsNeeded } from './windows-split.js'

/** One training run. */
export interface TrainTablesOptions extends TuneRunOptions {
  /** Folders of the original and of the quantized model. */
  readonly original: string
  readonly quantized: string
  /** Where the run keeps its state, and its tables at the end. */
  readonly folder: string
  readonly fingerprint: string
  readonly settings: TuneSettings
  readonly backend: BackendName
}

/** Trains tables from the state that an interrupted run has left, or from the beginning, and writes TUNED_TABLES_FILE. */
export async function trainTables(options: TrainTablesOptions): Promise<void> {
  const { folder, fingerprint, settings, backend, threads, signal, onProgress } = options
  const { text, steps, batch, learningRate, seed } = settings
  const load = { backend, threads, arithmetic: 'precise', profile: false, signal, onProgress } as const
  await using student = await loadStudent(options.quantized, settings.bits, load)
  await using teacher = await loadModel(options.original, load)
  checkQuantizedFrom(student, teacher)
  const length = Math.min(settings.sequenceLength, student.config.contextLength, teacher.config.contextLength)
  const cut = calibrationWindows(mixBoundaries(text), student.tokenizer, length, windowsNeeded(steps, batch))
  const windows = splitWindows(cut, length)
  const tables = await createTables(student, teacher, settings.bits, options)
  const untouched = tables.map(({ values }) => values.slice())
  await using distillation = await createDistillation({ teacher, student, length, batch, signal })

  const bits = [...new Set(tables.map((table) => table.bits))].sort((a, b) => a - b)
  const measure = () => measureHeldOut(distillation, windows, bits, options)
  let state = await readState(folder, fingerprint, tables)
  if (state === undefined) {
    state = { step: 0, before: await measure() }
    checkFinite(state.before, options)
    const context = { teacher, student, windows: windows.training, bits, threads, signal, onProgress }
    if (settings.start) await settings.start.apply(context)
    for (const { start, values } of tables) start.set(values)
    await writeState(folder, fingerprint, state, tables)
  }
  await distillation.update(distillation.linears)
  await train(distillation, windows, tables, state, options)

  let after = await measure()
  const { before } = state
  const better = bits.filter((b) => helped(before, after, b))
  if (better.length < bits.length) {
    for (const [i, { bits, values }] of tables.entries()) if (!better.includes(bits)) values.set(untouched[i])
    await distillation.update(distillation.linears)
    after = await measure()
  }
  const tuning = {
    fingerprint,
    bits: better,
    steps,
    batch,
    windowTokens: length,
    trainingWindows: windows.training.length,
    heldOutWindows: windows.heldOut.length,
    seed,
    learningRate,
    start: settings.start ? settings.start.name : null,
    textSha256: createHash('sha256').update(text).digest('hex'),
    before,
    after,
  }
  await writeTunedTables(folder, tuning, tables)
  await rm(join(folder, TUNING_STATE_FILE), { force: true })
}

async function createTables(
  student: Model,
  teacher: Model,
  bits: readonly number[],
  { signal, onProgress }: TuneRunOptions,
): Promise<TrainedTable[]> {
  const tables: TrainedTable[] = []
  for (const [i, { module }] of student.linears.entries()) {
    signal?.throwIfAborted()
    const name = `${module}.weight`
    const weight = student.weights.get(name) as BitPlaneWeight
    tables.push(...tablesOf(name, weight, bits, rowDeviations(originalOf(teacher, module, weight))))
    // Lets an abort be seen: the loop itself never waits.
    await new Promise((resolve) => setImmediate(resolve))
    onProgress?.({ stage: 'read original', done: i + 1, total: student.linears.length, unit: 'linears' })
  }
  return tables
}

async function measureHeldOut(
  distillation: Distillation,
  { heldOut }: SplitWindows,
  bits: readonly number[],
  { settings, onProgress }: TrainTablesOptions,
): Promise<Divergences> {
  return measureDivergences(distillation, heldOut, measuredBits(bits), settings.seed, (done) =>
    onProgress?.({ stage: 'measure tables', done, total: heldOut.length, unit: 'windows' }),
  )
}

/** Divergences of an original that overflows would compare nothing. */
function checkFinite(before: Divergences, { original, quantized }: TrainTablesOptions): void {
  if (Object.values(before).every(Number.isFinite)) return
  const message = `${quantized} and ${original}: their logits are no finite numbers on the calibration text; weights may be damaged`
  throw new DpllmError('ERR_DPLLM_NOT_FINITE', message)
}

/** Takes the steps that are left, keeping its state every so often and when it is aborted. */
async function train(
  distillation: Distillation,
  { training }: SplitWindows,
  tables: readonly TrainedTable[],
  state: { readonly step: number; readonly before: Divergences },
  { folder, fingerprint, settings, saveSeconds = 300, signal, onProgress }: TrainTablesOptions,
): Promise<void> {
  const { steps } = settings
  let { step } = state
  let saved = Date.now()
  const save = () => writeState(folder, fingerprint, { ...state, step }, tables)
  onProgress?.({ stage: 'tune tables', done: step, total: steps, unit: 'steps' })
  try {
    while (step < steps) {
      await trainStep(distillation, tables, training, step, settings)
      step++
      onProgress?.({ stage: 'tune tables', done: step, total: steps, unit: 'steps' })
      if (Date.now() - saved < saveSeconds * 1000) continue
      await save()
      saved = Date.now()
    }
  } catch (error) {
    // Aborts are seen before a step changes anything.
    if (signal?.aborted) await save()
    throw error
  }
}
