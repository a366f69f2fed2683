import { createHash } from 'node:crypto'
import path from 'node:path'
import { elementCount } from '@dpllm/core'
import { openCheckpoint, readText } from '@dpllm/core/node'
import type { Model } from '@dpllm/runtime'
import type { RunIdentity } from './result-file.js'

/** Elements of every tensor that are looked at. */
const SAMPLE = 256

/**
 * What tells a loaded model from others whose results may differ: its config, the headers and some elements of every tensor of
 * its files, the profile, how many bits of each linear are loaded, the context, and the backend's name.
 */
export async function modelIdentity(model: Model): Promise<RunIdentity> {
  const hash = createHash('sha256')
  hash.update(await readText(path.join(model.directory, 'config.json')))
  hash.update(await readText(path.join(model.directory, 'tokenizer.json')))
  await using checkpoint = await openCheckpoint(model.directory)
  for (const { name, dtype, shape } of checkpoint.tensors.values()) {
    const elements = elementCount(shape)
    const count = Math.min(SAMPLE, elements)
    const { data } = await checkpoint.readElements(name, Math.floor((elements - count) / 2), count)
    hash.update(JSON.stringify({ name, dtype, shape }))
    hash.update(data)
  }
  const { profile } = model
  return {
    model: hash.digest('hex'),
    profile: profile === undefined ? null : `${profile.name} ${sha256(JSON.stringify(profile.data))}`,
    maxBits: sha256(JSON.stringify(model.linears.map(({ maxBits }) => maxBits))),
    contextLength: model.config.contextLength,
    backend: model.backend.name,
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
