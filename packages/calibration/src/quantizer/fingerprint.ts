import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { elementCount } from '@dpllm/core'
import type { Checkpoint } from '@dpllm/core/node'
import type { CalibrationSettings } from './column-weights.js'
import type { BitCounts } from './quantization-plan.js'
import { type Shard, unitTensors } from './shards.js'

/** Raised when the same input and settings give other bytes than before, so that no file mixes both. */
const VERSION = 2

/** Elements of every source tensor that are looked at. */
const SAMPLE = 256

/** What decides the output besides the source. */
export interface QuantizationSettings {
  readonly bits: BitCounts
  readonly calibration: CalibrationSettings | false
  /** As of `RowQuantizer`. */
  readonly algorithm: string
}

/**
 * SHA-256 of what the output depends on: config, settings (with the calibration text and the algorithm), the layout of
 * all shards, the source's headers (files, names, dtypes, shapes) and a few elements from the middle of every source
 * tensor, which tell a model from another of the same shapes. Two runs with the same fingerprint may share finished
 * shards.
 */
export async function fingerprintOf(
  checkpoint: Checkpoint,
  config: string,
  shards: readonly Shard[],
  settings: QuantizationSettings,
): Promise<string> {
  const hash = createHash('sha256')
  const source = [...checkpoint.tensors.values()].map(({ file, ...info }) => ({ ...info, file: basename(file) }))
  const output = shards.map((shard) => ({ file: shard.file, tensors: unitTensors(shard) }))
  hash.update(JSON.stringify({ version: VERSION, settings, config, source, output }))
  for (const { name, shape } of checkpoint.tensors.values()) {
    const elements = elementCount(shape)
    const count = Math.min(SAMPLE, elements)
    const { data } = await checkpoint.readElements(name, Math.floor((elements - count) / 2), count)
    hash.update(data)
  }
  return hash.digest('hex')
}
