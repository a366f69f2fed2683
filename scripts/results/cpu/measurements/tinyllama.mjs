import { importPackage } from '../../../lib/packages.mjs'
import { root } from '../../../lib/run.mjs'
import { llamaTypes, openRandomLlama, ours } from '../subjects.mjs'

const { compareSpeed } = await importPackage('eval')
const { loadModel } = await importPackage('runtime')

/**
 * TinyLlama-1.1B as results:quantizer has made it, embedding and head in f16 as published, and llama.cpp's of the same shape
 * and with the same head.
 */
export async function measure({ bits, threads, tokens = 16, rounds = 7 }) {
  const model = await loadModel(`${root}models/results/tinyllama-exact`, { backend: 'cpu', threads, maxBits: bits })
  const { layers, vocabularySize } = model.config
  const subject = { shape: 'tinyllama-1.1b', layers, vocabulary: vocabularySize }
  const llama = await openRandomLlama({ ...subject, threads, type: llamaTypes[bits], headType: 'F16' })
  return compareSpeed([llama, ours(model, bits)], { promptTokens: [], generatedTokens: [tokens], rounds })
}
