import { join } from 'node:path'
import { FileFormatError, InvalidArgumentError } from '../errors.js'
import { isJsonObject } from '../json.js'
import { readJson } from './read-json.js'
import { openSafetensors } from './safetensors-file.js'
import { writeFileAtomic } from './temporary-file.js'

/** Weights in one file. */
export const CHECKPOINT_FILE = 'model.safetensors'
/** Which shard holds which tensor, where there are several files. */
export const CHECKPOINT_INDEX_FILE = 'model.safetensors.index.json'

/** Most shards: all stay open, and systems allow some 1000 open files; the largest public checkpoints have 200. */
export const MAX_SHARDS = 512

/** Name of a shard as Hugging Face writes it, from 1: model-00002-of-00005.safetensors. */
export function shardFileName(shard: number, shards: number): string {
  const digits = (n: number) => String(n).padStart(5, '0')
  return `model-${digits(shard)}-of-${digits(shards)}.safetensors`
}

/**
 * Reads model.safetensors.index.json.
 * @returns the shard's file name, inside the index's own folder, for every tensor
 * @throws FileFormatError
 */
export async function readCheckpointIndex(path: string): Promise<ReadonlyMap<string, string>> {
  const index = await readJson(path)
  if (!isJsonObject(index) || !isJsonObject(index.weight_map))
    throw new FileFormatError(path, 'expected an object with a weight_map')
  const shardOf = new Map<string, string>()
  const shards = new Set<string>()
  for (const [name, shard] of Object.entries(index.weight_map)) {
    if (!isShardName(shard)) {
      const found = JSON.stringify(shard).slice(0, 100)
      throw new FileFormatError(path, `expected the name of a .safetensors file in the same folder, found ${found}`, {
        item: name,
      })
    }
    shardOf.set(name, shard)
    shards.add(shard)
  }
  if (shards.size > MAX_SHARDS) throw new FileFormatError(path, `names ${shards.size} shards, at most ${MAX_SHARDS} are read`)
  return shardOf
}

/** A plain file name on every system: no folders, drives, streams or control characters. */
function isShardName(shard: unknown): shard is string {
  return typeof shard === 'string' && shard.length <= 255 && /^[^/\\:\p{Cc}]+\.safetensors$/u.test(shard)
}

/**
 * Writes model.safetensors.index.json for shards that lie in the folder, byte for byte as Hugging Face does: tensors by
 * name, `total_size` in bytes of tensors.
 * @param shards their file names
 * @throws InvalidArgumentError if two shards hold the same tensor or a name is no plain file name
 */
export async function writeCheckpointIndex(directory: string, shards: readonly string[]): Promise<void> {
  const weightMap = new Map<string, string>()
  let totalSize = 0
  for (const shard of shards) {
    if (!isShardName(shard)) throw new InvalidArgumentError('shards', 'names of .safetensors files in the folder', shard)
    await using file = await openSafetensors(join(directory, shard))
    for (const { name, byteLength } of file.tensors.values()) {
      const other = weightMap.get(name)
      if (other !== undefined) throw new InvalidArgumentError('shards', `${name} in one of them`, `it in ${other} and ${shard}`)
      weightMap.set(name, shard)
      totalSize += byteLength
    }
  }
  const byName = [...weightMap].sort(([a], [b]) => (a < b ? -1 : 1))
  const index = { metadata: { total_size: totalSize }, weight_map: Object.fromEntries(byName) }
  await writeFileAtomic(join(directory, CHECKPOINT_INDEX_FILE), `${JSON.stringify(index, null, 2)}\n`)
}
