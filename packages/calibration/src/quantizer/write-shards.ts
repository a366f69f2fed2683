import { join } from 'node:path'
import { type Checkpoint, writeSafetensors } from '@dpllm/core/node'
import type { Sensitivities } from '../sensitivity/sensitivities.js'
import { FINGERPRINT_KEY } from './output-folder.js'
import type { QuantizeModelOptions } from './quantize-model.js'
import type { RowQuantizer } from './row-quantizer.js'
import { type Shard, shardEntries } from './shards.js'

export interface WriteShardsOptions extends Pick<QuantizeModelOptions, 'signal' | 'onProgress'> {
  /** Weights in the shards that are there. */
  readonly before: number
  /** Of the output, for the files' metadata. */
  readonly fingerprint: string
  readonly quantizer: RowQuantizer
  readonly sensitivities: Sensitivities | undefined
}

/** Quantizes and writes shards one after another; each appears whole or not at all. */
export async function writeShards(
  checkpoint: Checkpoint,
  folder: string,
  shards: readonly Shard[],
  options: WriteShardsOptions,
): Promise<void> {
  const { before, fingerprint, quantizer, sensitivities, signal, onProgress } = options
  const total = before + weightsIn(shards)
  let done = before
  onProgress?.({ stage: 'quantize', done, total, unit: 'weights' })
  const onWeights = (count: number) => {
    done += count
    onProgress?.({ stage: 'quantize', done, total, unit: 'weights' })
  }
  for (const shard of shards) {
    const entries = shardEntries(checkpoint, shard, { quantizer, sensitivities, signal, onWeights })
    const metadata = { format: 'pt', [FINGERPRINT_KEY]: fingerprint }
    await writeSafetensors(join(folder, shard.file), entries, { metadata, signal })
  }
}

/** Weights that shards quantize. */
export function weightsIn(shards: readonly Shard[]): number {
  return shards.reduce((sum, { modules }) => sum + modules.reduce((n, { rows, cols }) => n + rows * cols, 0), 0)
}
