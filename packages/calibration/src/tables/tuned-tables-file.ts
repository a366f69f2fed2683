import { join } from 'node:path'
import { DpllmError, isJsonObject } from '@dpllm/core'
import { openSafetensors, type SafetensorsFile, writeSafetensors } from '@dpllm/core/node'
import type { Divergences } from './hold-out.js'
import type { TrainedTable } from './trained-tables.js'

/** Where a run keeps its tables from the end of training until the model's files have them. */
export const TUNED_TABLES_FILE = 'tuned-tables.safetensors'

/** Member of the metadata of a model's files that says how their tables were tuned. */
export const TUNING_KEY = 'dpllm.tuning'

/** What a tuning run did: kept with the tables. */
export interface TuningReport {
  /** Bit counts whose tables are new: where they were better on the held-out windows. */
  readonly bits: readonly number[]
  readonly steps: number
  /** Windows for each step, and their tokens. */
  readonly batch: number
  readonly windowTokens: number
  readonly trainingWindows: number
  readonly heldOutWindows: number
  readonly seed: number
  readonly learningRate: number
  /** What the tables started from, if not from those of the model. */
  readonly start: string | null
  readonly textSha256: string
  /** Mean KL divergence from the original on the held-out windows, in nats for each token, by average bits. */
  readonly before: Divergences
  /** The same for the tables as they are now. */
  readonly after: Divergences
}

/** The report with what its run depended on. */
export interface Tuning extends TuningReport {
  readonly fingerprint: string
}

/** Name of a table in files. */
export function tableName({ weight, bits }: Pick<TrainedTable, 'weight' | 'bits'>): string {
  return `${weight.replace(/\.weight$/, '')}.lut${bits}`
}

export async function writeTunedTables(folder: string, tuning: Tuning, tables: readonly TrainedTable[]): Promise<void> {
  const entries = tables
    .filter(({ bits }) => tuning.bits.includes(bits))
    .map((table) => {
      const shape = [table.units.length, 2 ** table.bits]
      return { name: tableName(table), dtype: 'f16' as const, shape, data: table.values }
    })
  await writeSafetensors(join(folder, TUNED_TABLES_FILE), entries, { metadata: { [TUNING_KEY]: JSON.stringify(tuning) } })
}

/** How the tables of a file were tuned; undefined if it is not there, cannot be read or does not say. */
export async function tuningOf(path: string): Promise<Tuning | undefined> {
  try {
    await using file = await openSafetensors(path)
    return tuningIn(file)
  } catch (error) {
    if (DpllmError.isInstance(error)) return undefined
    throw error
  }
}

/** As `tuningOf` of an open file. What another program may have written there is none of ours. */
export function tuningIn({ metadata }: SafetensorsFile): Tuning | undefined {
  const text = metadata[TUNING_KEY]
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && typeof value.fingerprint === 'string' ? (value as unknown as Tuning) : undefined
  } catch {
    return undefined
  }
}
