import { rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { OnProgress } from '@dpllm/core'
import { openCheckpoint, openSafetensors, type TensorSource, writeSafetensors } from '@dpllm/core/node'
import { copyTensor } from '@dpllm/runtime'
import { TUNED_TABLES_FILE, TUNING_KEY, type Tuning, tuningIn, tuningOf } from './tuned-tables-file.js'

/** Names of the files that hold a model's weights. */
export async function shardFiles(directory: string): Promise<string[]> {
  await using checkpoint = await openCheckpoint(directory)
  return [...new Set(Array.from(checkpoint.tensors.values(), ({ file }) => basename(file)))]
}

/** How the tables of all of these files were tuned by the run with this fingerprint; undefined if not of all. */
export async function finishedTuning(folder: string, files: readonly string[], fingerprint: string): Promise<Tuning | undefined> {
  const tunings = await Promise.all(files.map((file) => tuningOf(join(folder, file))))
  return tunings.every((tuning) => tuning?.fingerprint === fingerprint) ? tunings[0] : undefined
}

/**
 * Writes a model's files with the tables of TUNED_TABLES_FILE in `folder`; all other tensors stay as they are. Files
 * that an earlier run has written are left alone.
 * @param from folder of the model, which may be `folder` itself: each file is replaced as a whole
 */
export async function writeTunedShards(
  from: string,
  folder: string,
  files: readonly string[],
  options: { signal?: AbortSignal | undefined; onProgress?: OnProgress | undefined },
): Promise<void> {
  await using tables = await openSafetensors(join(folder, TUNED_TABLES_FILE))
  const tuning = tuningIn(tables)!
  for (const [done, file] of files.entries()) {
    options.onProgress?.({ stage: 'write tables', done, total: files.length, unit: 'files' })
    if ((await tuningOf(join(folder, file)))?.fingerprint === tuning.fingerprint) continue
    const temporary = join(folder, `.${file}.tuned.tmp`)
    await writeTunedShard(join(from, file), temporary, tables, tuning, options.signal)
    // The file that it replaces has been closed: some systems keep open files from that.
    await rename(temporary, join(folder, file))
  }
  options.onProgress?.({ stage: 'write tables', done: files.length, total: files.length, unit: 'files' })
}

async function writeTunedShard(
  from: string,
  to: string,
  tables: TensorSource,
  tuning: Tuning,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using shard = await openSafetensors(from)
  const entries = Array.from(shard.tensors.values(), (info) => ({
    ...info,
    data: () => copyTensor(tables.tensors.has(info.name) ? tables : shard, info, signal),
  }))
  await writeSafetensors(to, entries, { metadata: { ...shard.metadata, [TUNING_KEY]: JSON.stringify(tuning) }, signal })
}
