import { createHash } from 'node:crypto'
import path from 'node:path'
import { elementCount } from '@dpllm/core'
import { openCheckpoint, readText } from '@dpllm/core/node'
import type { Model } from '@dpllm/runtime'
import type { RunIdentity } from './result-file.js'

/** Elements of every tensor that are looked at. */
const SAMPLE = 256

/** SHA-256 of a model's config, its tokenizer, and the headers and some elements of every tensor of its files. */
export async function modelFingerprint(directory: string): Promise<string> {
  const hash = createHash('sha256')
  hash.update(await readText(path.join(directory, 'config.json')))
  hash.update(await readText(path.join(directory, 'tokenizer.json')))
  await using checkpoint = await openCheckpoint(directory)
  for (const { name, dtype, shape } of checkpoint.tensors.values()) {
    const elements = elementCount(shape)
    const count = Math.min(SAMPLE, elements)
    const { data } = await checkpoint.readElements(name, Math.floor((elements - count) / 2), count)
    hash.update(JSON.stringify({ name, dtype, shape }))
    hash.update(data)
  }
  return hash.digest('hex')
}

/**
 * What tells a loaded model from others whose results may differ: its files, the profile, how many bits of each linear are
 * loaded, the context, and the backend's name.
 */
export async function modelIdentity(model: Model): Promise<RunIdentity> {
  const { profile } = model
  return {
    model: await modelFingerprint(model.directory),
    profile: profile === undefined ? null : `${profile.name} ${sha256(JSON.stringify(profile.data))}`,
    maxBits: sha256(JSON.stringify(model.linears.map(({ maxBits }) => maxBits))),
    contextLength: model.config.contextLength,
    backend: model.backend.name,
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
