import { createHash, type Hash } from 'node:crypto'
import { basename, join } from 'node:path'
import { elementCount } from '@dpllm/core'
import { openCheckpoint, readText } from '@dpllm/core/node'
import type { TuneSettings } from './tune-settings.js'

/** Raised when the same input and settings give other tables than before, so that no run goes on with them. */
const VERSION = 1

/** Elements of every tensor that are looked at. */
const SAMPLE = 256

/**
 * SHA-256 of what tuned tables depend on, but for how the machine rounds: both models, as far as their configs, their
 * headers and some elements of every tensor tell them from others, the text, all settings and the backend's name.
 * @param quantized folder of the quantized model, or what identifies it already
 */
export async function fingerprintOfTuning(
  original: string,
  quantized: string | { readonly identity: string },
  backend: string,
  { start, ...settings }: TuneSettings,
): Promise<string> {
  const hash = createHash('sha256')
  hash.update(JSON.stringify({ version: VERSION, settings, start: start ? start.name : null, backend }))
  await addFolder(hash, original)
  if (typeof quantized === 'string') await addFolder(hash, quantized)
  else hash.update(quantized.identity)
  return hash.digest('hex')
}

async function addFolder(hash: Hash, directory: string): Promise<void> {
  hash.update(await readText(join(directory, 'config.json')))
  await using checkpoint = await openCheckpoint(directory)
  for (const { file, ...info } of checkpoint.tensors.values()) {
    const elements = elementCount(info.shape)
    const count = Math.min(SAMPLE, elements)
    const { data } = await checkpoint.readElements(info.name, Math.floor((elements - count) / 2), count)
    hash.update(JSON.stringify({ ...info, file: basename(file) }))
    hash.update(data)
  }
}
