import { readdirSync } from 'node:fs'
import path from 'node:path'

/**
 * What tuning recorded in the files of a model: its settings, and its divergence from the original on held-out windows, by
 * average bits, before and after.
 * @param {string} model folder
 * @returns {Promise<{ steps: number, batch: number, before: Record<string, number>, after: Record<string, number> }>}
 */
export async function tuningOf(model) {
  // Built by the time that it is called.
  const { openSafetensors } = await import('../../packages/core/dist/node/index.js')
  for (const name of readdirSync(model).filter((file) => file.endsWith('.safetensors'))) {
    const file = await openSafetensors(path.join(model, name))
    const tuning = file.metadata['dpllm.tuning']
    await file[Symbol.asyncDispose]()
    if (tuning !== undefined) return JSON.parse(tuning)
  }
  throw new Error(`${model}: no tuned tables`)
}
