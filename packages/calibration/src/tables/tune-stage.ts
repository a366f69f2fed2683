import { join } from 'node:path'
import { type BackendName, probeBackends } from '@dpllm/runtime'
import { trainTables } from './train-tables.js'
import type { TuneRunOptions, TuneSettings } from './tune-settings.js'
import { finishedTuning, shardFiles, writeTunedShards } from './tuned-shards.js'
import { TUNED_TABLES_FILE, type Tuning, tuningOf } from './tuned-tables-file.js'
import { removeTuningFiles } from './tuning-state.js'

/** Tuning as a stage of making a folder. */
export interface TuneStage extends TuneRunOptions {
  readonly original: string
  /** Folder of the quantized model. */
  readonly quantized: string
  /** Folder to write the weights to, and to keep unfinished work in; `quantized` itself to replace them there. */
  readonly folder: string
  readonly fingerprint: string
  readonly settings: TuneSettings
}

/** The backend that `auto` takes. */
export function backendOf({ backend = 'auto' }: TuneRunOptions): BackendName {
  return backend === 'auto' ? probeBackends().find(({ usable }) => usable)!.name : backend
}

/**
 * Tunes a model's tables and writes its weights with them. Stopped at any moment and called again with the same
 * arguments, it ends with the same bytes; `quantized` may be `folder`, since everything is computed before the first file
 * is replaced.
 */
export async function tuneStage(stage: TuneStage): Promise<Tuning> {
  const { quantized, folder, fingerprint, signal, onProgress } = stage
  const files = await shardFiles(quantized)
  const finished = await finishedTuning(folder, files, fingerprint)
  if (finished === undefined) {
    const trained = await tuningOf(join(folder, TUNED_TABLES_FILE))
    if (trained?.fingerprint !== fingerprint) await trainTables({ ...stage, backend: backendOf(stage) })
    await writeTunedShards(quantized, folder, files, { signal, onProgress })
  }
  const tuning = finished ?? (await finishedTuning(folder, files, fingerprint))!
  await removeTuningFiles(folder)
  return tuning
}
