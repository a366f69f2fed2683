import { join } from 'node:path'
import { FileFormatError, type Tensor } from '@dpllm/core'
import { exists, openSafetensors, writeSafetensors } from '@dpllm/core/node'
import type { ProbeFit } from './fit-probe.js'

const FINGERPRINT_KEY = 'dpllm.fingerprint'
const SHARE_KEY = 'dpllm.heldOutShare'

/** Where the probe of a linear is kept. */
function probePath(folder: string, module: string): string {
  return join(folder, `probe-${module}.safetensors`)
}

/** Keeps a fitted probe; the file appears whole or not at all. */
export async function writeProbe(folder: string, module: string, fingerprint: string, fit: ProbeFit): Promise<void> {
  const { weights, bias } = fit.probe
  await writeSafetensors(
    probePath(folder, module),
    [
      { name: 'weights', ...weights },
      { name: 'bias', dtype: 'f32', shape: [1], data: Float32Array.of(bias) },
    ],
    { metadata: { [FINGERPRINT_KEY]: fingerprint, [SHARE_KEY]: String(fit.heldOutShare) } },
  )
}

/**
 * The probe that is kept of a linear; undefined if there is none, or one of other settings, which is quickly fitted anew.
 * @throws FileFormatError for a damaged file
 */
export async function readProbe(folder: string, module: string, fingerprint: string): Promise<ProbeFit | undefined> {
  const path = probePath(folder, module)
  if (!(await exists(path))) return undefined
  await using file = await openSafetensors(path)
  if (file.metadata[FINGERPRINT_KEY] !== fingerprint) return undefined
  const read = async (name: string) => {
    const tensor = await file.read(name)
    if (tensor.dtype === 'f32' && tensor.shape.length === 1) return tensor as Tensor<'f32'>
    throw new FileFormatError(path, `expected f32 with one dimension, found ${tensor.dtype} [${tensor.shape}]`, { item: name })
  }
  const weights = await read('weights')
  const [bias] = (await read('bias')).data
  return { probe: { kind: 'probe', weights, bias }, heldOutShare: Number(file.metadata[SHARE_KEY]) }
}
