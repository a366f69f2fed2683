import { join } from 'node:path'
import { InvalidArgumentError } from '../errors.js'
import type { OnProgress } from '../progress.js'
import { layoutTensors } from '../safetensors/serialize.js'
import { CHECKPOINT_FILE, CHECKPOINT_INDEX_FILE, MAX_SHARDS, shardFileName, writeCheckpointIndex } from './checkpoint-index.js'
import { exists } from './exists.js'
import { type TensorEntry, type WriteOptions, writeSafetensors } from './write-safetensors.js'

/** Where Hugging Face splits, too. */
const MAX_SHARD_BYTES = 5e9

/**
 * Writes the weights of a folder: `model.safetensors`, or shards and then their index where they exceed `maxShardBytes`
 * (default 5 GB; a tensor larger than that gets a shard of its own).
 * @throws InvalidArgumentError if the folder holds weights of the other kind, which readers would mix up; else as
 * `writeSafetensors`
 */
export async function writeCheckpoint(
  directory: string,
  entries: Iterable<TensorEntry>,
  { maxShardBytes = MAX_SHARD_BYTES, ...options }: WriteOptions & { maxShardBytes?: number | undefined } = {},
): Promise<void> {
  const shards = splitIntoShards(entries, maxShardBytes)
  if (shards.length > MAX_SHARDS)
    throw new InvalidArgumentError('maxShardBytes', `one that needs at most ${MAX_SHARDS}`, shards.length)
  const single = shards.length === 1
  const other = join(directory, single ? CHECKPOINT_INDEX_FILE : CHECKPOINT_FILE)
  if (await exists(other)) throw new InvalidArgumentError('directory', 'a folder without other weights', other)

  const names = shards.map((_, i) => (single ? CHECKPOINT_FILE : shardFileName(i + 1, shards.length)))
  const { onProgress } = options
  const total = shards.reduce((sum, shard) => sum + shard.bytes, 0)
  let before = 0
  for (const [i, shard] of shards.entries()) {
    const done = before
    const report: OnProgress = (p) => onProgress?.({ ...p, done: done + p.done, total })
    await writeSafetensors(join(directory, names[i]), shard.entries, { ...options, onProgress: report })
    before += shard.bytes
  }
  if (!single) await writeCheckpointIndex(directory, names)
}

interface Shard {
  readonly entries: TensorEntry[]
  bytes: number
}

/** Fills one shard after another, in the order given; at least one. */
function splitIntoShards(entries: Iterable<TensorEntry>, maxShardBytes: number): Shard[] {
  let last: Shard = { entries: [], bytes: 0 }
  const shards = [last]
  for (const entry of entries) {
    const [{ end: bytes }] = layoutTensors([entry])
    if (last.bytes > 0 && last.bytes + bytes > maxShardBytes) {
      last = { entries: [], bytes: 0 }
      shards.push(last)
    }
    last.entries.push(entry)
    last.bytes += bytes
  }
  return shards
}
