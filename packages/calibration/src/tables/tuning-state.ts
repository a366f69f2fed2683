import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DpllmError, type FloatTensor } from '@dpllm/core'
import { openSafetensors, type SafetensorsFile, type TensorEntry, writeSafetensors } from '@dpllm/core/node'
import type { Divergences } from './hold-out.js'
import type { TrainedTable } from './trained-tables.js'
import { TUNED_TABLES_FILE, tableName } from './tuned-tables-file.js'

/** Where an unfinished run keeps what it goes on from. */
export const TUNING_STATE_FILE = 'tuning-state.safetensors'

/** Files that a run keeps until the model's files have its tables. */
export function isTuningFile(name: string): boolean {
  return name === TUNING_STATE_FILE || name === TUNED_TABLES_FILE
}

/** Removes them, when nothing needs them any more. */
export async function removeTuningFiles(folder: string): Promise<void> {
  for (const name of [TUNING_STATE_FILE, TUNED_TABLES_FILE]) await rm(join(folder, name), { force: true })
}

const STATE_KEY = 'dpllm.tuningState'

/** How far training has come, besides the tables themselves. */
export interface TuningState {
  /** Steps done. */
  readonly step: number
  /** On the held-out windows, before training. */
  readonly before: Divergences
}

interface StateData extends TuningState {
  readonly fingerprint: string
  /** Adam's steps of every table, in the order of the tables. */
  readonly adamSteps: readonly number[]
}

/** Keeps everything that the next steps depend on. The file appears whole or not at all. */
export async function writeState(
  folder: string,
  fingerprint: string,
  state: TuningState,
  tables: readonly TrainedTable[],
): Promise<void> {
  const data: StateData = { ...state, fingerprint, adamSteps: tables.map(({ moments }) => moments.steps) }
  await writeSafetensors(join(folder, TUNING_STATE_FILE), tables.flatMap(tensorsOf), {
    metadata: { [STATE_KEY]: JSON.stringify(data) },
  })
}

/**
 * Puts the tables into the state that a run with this fingerprint has left.
 * @returns undefined if there is none, and the tables are as they were
 */
export async function readState(
  folder: string,
  fingerprint: string,
  tables: readonly TrainedTable[],
): Promise<TuningState | undefined> {
  const file = await openSafetensors(join(folder, TUNING_STATE_FILE)).catch(noFile)
  if (file === undefined) return undefined
  await using opened = file
  const data = stateOf(opened)
  if (data?.fingerprint !== fingerprint) return undefined
  for (const [i, table] of tables.entries()) {
    for (const { name, data } of tensorsOf(table)) {
      const tensor = (await opened.read(name)) as FloatTensor
      ;(data as Float32Array | Uint16Array).set(tensor.data)
    }
    table.moments.steps = data.adamSteps[i]
  }
  return { step: data.step, before: data.before }
}

/** Fingerprint of the run that has left a state in a folder. */
export async function stateFingerprint(folder: string): Promise<string | undefined> {
  const file = await openSafetensors(join(folder, TUNING_STATE_FILE)).catch(noFile)
  if (file === undefined) return undefined
  await using opened = file
  return stateOf(opened)?.fingerprint
}

/** The state's own metadata: files of a run are written by this code, whole or not at all. */
function stateOf(file: SafetensorsFile): StateData | undefined {
  const text = file.metadata[STATE_KEY]
  return text === undefined ? undefined : (JSON.parse(text) as StateData)
}

function noFile(error: unknown): undefined {
  if (DpllmError.isInstance(error)) return undefined
  throw error
}

function tensorsOf(table: TrainedTable): (TensorEntry & { data: ArrayBufferView })[] {
  const { start, values, offsets, moments } = table
  const name = tableName(table)
  const shape = [start.length]
  return [
    { name: `${name}.start`, dtype: 'f16', shape, data: start },
    { name: `${name}.values`, dtype: 'f16', shape, data: values },
    { name: `${name}.offsets`, dtype: 'f32', shape, data: offsets },
    { name: `${name}.mean`, dtype: 'f32', shape, data: moments.mean },
    { name: `${name}.square`, dtype: 'f32', shape, data: moments.square },
  ]
}
