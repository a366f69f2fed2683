import { join } from 'node:path'
import { FileFormatError } from '../errors.js'
import { CHECKPOINT_FILE, CHECKPOINT_INDEX_FILE, readCheckpointIndex } from './checkpoint-index.js'
import { exists } from './exists.js'
import {
  missingTensor,
  type OpenOptions,
  openSafetensors,
  type SafetensorsFile,
  type TensorInfo,
  type TensorSource,
} from './safetensors-file.js'

/** The weights of a Hugging Face style folder. Its files stay open until disposed. */
export interface Checkpoint extends TensorSource {
  readonly directory: string
}

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` names, of a folder. All headers are
 * checked; tensors are read when they are asked for.
 * @throws FileFormatError naming the file and, where there is one, the tensor
 */
export async function openCheckpoint(directory: string, options: OpenOptions = {}): Promise<Checkpoint> {
  if (await exists(join(directory, CHECKPOINT_FILE))) {
    const file = await openSafetensors(join(directory, CHECKPOINT_FILE), options)
    const { tensors, unread, read, readElements } = file
    return { directory, tensors, unread, read, readElements, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
  }
  if (await exists(join(directory, CHECKPOINT_INDEX_FILE))) return openShards(directory, options)
  if (!(await exists(directory))) throw new FileFormatError(directory, 'there is no such folder')
  throw new FileFormatError(directory, `expected ${CHECKPOINT_FILE} or ${CHECKPOINT_INDEX_FILE} in this folder, found neither`)
}

async function openShards(directory: string, options: OpenOptions): Promise<Checkpoint> {
  const indexFile = join(directory, CHECKPOINT_INDEX_FILE)
  const shardOf = await readCheckpointIndex(indexFile)
  const shards = new Map<string, SafetensorsFile>()
  const close = async () => {
    await Promise.all([...shards.values()].map((shard) => shard[Symbol.asyncDispose]()))
  }

  const tensors = new Map<string, TensorInfo>()
  const unread = new Map<string, string>()
  try {
    for (const [name, shardName] of shardOf) {
      let shard = shards.get(shardName)
      if (shard === undefined) {
        shard = await openSafetensors(join(directory, shardName), options)
        shards.set(shardName, shard)
      }
      const tensor = shard.tensors.get(name)
      const unreadDType = shard.unread.get(name)
      if (tensor !== undefined) tensors.set(name, tensor)
      else if (unreadDType !== undefined) unread.set(name, unreadDType)
      else throw missingTensor(shard.path, name, shard.tensors.keys())
    }
  } catch (error) {
    await close()
    throw error
  }

  const shardWith = (name: string): SafetensorsFile => {
    const shard = shards.get(shardOf.get(name) ?? '')
    if (shard === undefined) throw missingTensor(indexFile, name, tensors.keys())
    return shard
  }
  return {
    directory,
    tensors,
    unread,
    read: async (name, options) => shardWith(name).read(name, options),
    readElements: async (name, first, count, options) => shardWith(name).readElements(name, first, count, options),
    [Symbol.asyncDispose]: close,
  }
}
