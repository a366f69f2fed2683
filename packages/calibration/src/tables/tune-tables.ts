import { readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CHECKPOINT_INDEX_FILE, exists, writeFileAtomic } from '@dpllm/core/node'
import { copySideFiles, findSideFiles, listProfiles } from '@dpllm/runtime'
import { publishFolder } from '../quantizer/output-folder.js'
import { fingerprintOfTuning } from './fingerprint.js'
import { type TuneOptions, type TuneRunOptions, tuneSettings } from './tune-settings.js'
import { backendOf, tuneStage } from './tune-stage.js'
import { shardFiles } from './tuned-shards.js'
import type { TuningReport } from './tuned-tables-file.js'
import { checkTuningOutput, openTuningFolder } from './tuning-folder.js'

export interface TuneTablesOptions extends TuneOptions, TuneRunOptions {
  /**
   * Text like that which the model will meet; documents may be separated by `<|endoftext|>`. At least 64 windows (16,000
   * tokens); a megabyte is a good one. Never evaluate on it.
   */
  readonly calibrationText: string
  /** Replaces the quantized model in `out`, and unfinished work for it. Default false. */
  readonly overwrite?: boolean | undefined
}

export interface TuneTablesResult extends TuningReport {
  /** Adaptation profiles of the quantized model. They are of its tables, and not copied: calibrate anew. */
  readonly profilesLeft: readonly string[]
}

/**
 * Tunes the tables of a quantized model, so that it predicts at few bits what the original predicts: distillation (KL
 * divergence from the original's predictions), with the codes fixed and bit counts mixed at random, as policies read them.
 * Bit-planes, tables of other bit counts and all else stay byte for byte; a bit count whose tables are not better on
 * windows of the text that were held out keeps its own. The files are made in `<out>.partial`, which becomes `out` when
 * all are there. An interrupted run, however it ended, is continued by calling again with the same arguments and gives the
 * same bytes on the same machine.
 * @param original folder of the model that was quantized; it is in memory meanwhile
 * @param quantized folder of the quantized model
 * @param out folder to be made; `quantized` itself with `overwrite`
 * @throws InvalidArgumentError if the models do not belong together, the text is too short, `out` exists, or
 * `<out>.partial` is of other models or settings; UnsupportedError if there is no bit count to be tuned; what `loadModel`
 * throws; the signal's reason
 */
export async function tuneTables(
  original: string,
  quantized: string,
  out: string,
  options: TuneTablesOptions,
): Promise<TuneTablesResult> {
  const { calibrationText, overwrite = false, backend, threads, saveSeconds, signal, onProgress } = options
  const settings = tuneSettings(calibrationText, options)
  await checkTuningOutput(original, quantized, out, overwrite)
  const run = { backend: backendOf({ backend }), threads, saveSeconds, signal, onProgress }
  const fingerprint = await fingerprintOfTuning(original, quantized, run.backend, settings)
  const sideFiles = await findSideFiles(quantized)
  const profilesLeft = await listProfiles(quantized)
  signal?.throwIfAborted()

  const folder = await openTuningFolder(out, await shardFiles(quantized), fingerprint, overwrite)
  const { fingerprint: _, ...report } = await tuneStage({ original, quantized, folder, fingerprint, settings, ...run }).catch(
    async (error) => {
      // Stays if there is work to go on from.
      await rmdir(folder).catch(() => {})
      throw error
    },
  )
  await copySideFiles(sideFiles, quantized, folder)
  const others = ['config.json', ...((await exists(join(quantized, CHECKPOINT_INDEX_FILE))) ? [CHECKPOINT_INDEX_FILE] : [])]
  for (const name of others) await writeFileAtomic(join(folder, name), await readFile(join(quantized, name)))
  await publishFolder(out, overwrite)
  return { ...report, profilesLeft }
}
