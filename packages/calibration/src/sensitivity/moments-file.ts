import { openSafetensors, writeSafetensors } from '@dpllm/core/node'
import type { InputMoments } from './input-moments.js'

const FINGERPRINT_KEY = 'dpllm.fingerprint'

/** Keeps moments for a run that is continued later, so that it goes on with the very same numbers. */
export async function writeMoments(path: string, moments: InputMoments, fingerprint: string): Promise<void> {
  const entries = [...moments].map(([name, data]) => ({ name, dtype: 'f32' as const, shape: [data.length], data }))
  await writeSafetensors(path, entries, { metadata: { [FINGERPRINT_KEY]: fingerprint } })
}

/** Moments that were written with this fingerprint; undefined if there are none. */
export async function readMoments(path: string, fingerprint: string): Promise<InputMoments | undefined> {
  try {
    await using file = await openSafetensors(path)
    if (file.metadata[FINGERPRINT_KEY] !== fingerprint) return undefined
    const moments = new Map<string, Float32Array>()
    for (const name of file.tensors.keys()) moments.set(name, (await file.read(name)).data as Float32Array)
    return moments
  } catch {
    return undefined
  }
}
