import { fingerprintOfTuning } from './fingerprint.js'
import type { TuneRunOptions, TuneSettings } from './tune-settings.js'
import { backendOf, tuneStage } from './tune-stage.js'
import type { TuningReport } from './tuned-tables-file.js'
import { removeTuningFiles } from './tuning-state.js'

/** Tuning as the last stage of making a quantized model. */
export interface TuneInPlace extends TuneRunOptions {
  /** Folder of the original model. */
  readonly original: string
  /** The quantized model, complete but not yet where it belongs. Unfinished work is kept in it. */
  readonly folder: string
  /** What the quantized model was made from, with all settings. */
  readonly identity: string
  /** As of `planTuning`. */
  readonly plan: TuneSettings | string
}

/** Tunes a model's tables where it lies, if that is planned; else says why not. */
export async function tuneInPlace({ plan, ...options }: TuneInPlace): Promise<TuningReport | string> {
  const { original, folder, identity, threads, saveSeconds, signal, onProgress } = options
  if (typeof plan === 'string') {
    // Of a run with other settings.
    await removeTuningFiles(folder)
    return plan
  }
  const backend = backendOf(options)
  const fingerprint = await fingerprintOfTuning(original, { identity }, backend, plan)
  const run = { backend, threads, saveSeconds, signal, onProgress }
  const { fingerprint: _, ...report } = await tuneStage({
    original,
    quantized: folder,
    folder,
    fingerprint,
    settings: plan,
    ...run,
  })
  return report
}
