import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { elementCount } from '@dpllm/core'
import type { Checkpoint } from '@dpllm/core/node'
import type { TuneSettings } from '../tables/tune-settings.js'
import type { BitCounts } from './quantization-plan.js'
import type { SensitivitySettings } from './sensitivity-settings.js'
import { type Shard, unitTensors } from './shards.js'

/** Raised when the same input and settings give other bytes than before, so that no file mixes both. */
const VERSION = 4

/** Elements of every source tensor that are looked at. */
const SAMPLE = 256

/** What decides the output besides the source. */
export interface QuantizationSettings {
  readonly bits: BitCounts
  readonly sensitivity: SensitivitySettings
  /** As of `RowQuantizer`. */
  readonly algorithm: string
  /** How tables are tuned at the end; null: not at all. */
  readonly tuning: TuneSettings | null
}

/**
 * SHA-256 of an original model: its config, headers (files, names, dtypes, shapes) and a few elements from the middle of
 * every tensor, which tell a model from another of the same shapes.
 */
export async function sourceFingerprint(checkpoint: Checkpoint, config: string): Promise<string> {
  const hash = createHash('sha256')
  const tensors = [...checkpoint.tensors.values()].map(({ file, ...info }) => ({ ...info, file: basename(file) }))
  hash.update(JSON.stringify({ config, tensors }))
  for (const { name, shape } of checkpoint.tensors.values()) {
    const elements = elementCount(shape)
    const count = Math.min(SAMPLE, elements)
    const { data } = await checkpoint.readElements(name, Math.floor((elements - count) / 2), count)
    hash.update(data)
  }
  return hash.digest('hex')
}

/**
 * SHA-256 of what the output depends on: the source, settings (with the calibration text and the algorithm) and the
 * layout of all shards. Two runs with the same fingerprint may share finished shards.
 */
export function outputFingerprint(source: string, shards: readonly Shard[], settings: QuantizationSettings): string {
  const output = shards.map((shard) => ({ file: shard.file, tensors: unitTensors(shard) }))
  return sha256({ version: VERSION, settings, source, output })
}

/** SHA-256 of what measured sensitivities depend on: they serve every quantizer, bit count and layout. */
export function sensitivityFingerprint(source: string, settings: SensitivitySettings): string {
  return sha256({ version: VERSION, source, kind: settings.kind, windows: settings.kind === 'none' ? null : settings.windows })
}

function sha256(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
