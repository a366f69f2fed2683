import { mkdirSync } from 'node:fs'
import { importPackage } from '../../lib/packages.mjs'
import { root } from '../../lib/run.mjs'
import { importPeer } from './peers.mjs'
import { writeRandomGguf } from './random-gguf.mjs'

const { knownShapes, modelContender, openLlamaCpp, randomModel } = await importPackage('eval')
const { createBackend } = await importPackage('runtime')

/** llama.cpp's type of the nearest size to a number of bits: of all matrices, as llama-quantize --pure writes them. */
export const llamaTypes = { 3: 'Q3_K', 4: 'Q4_K', 5: 'Q5_K', 6: 'Q6_K' }

/** What is measured where nothing else is said: layers of Llama-3-8B, few of them and few words, so that they fit in memory twice. */
export const eightB = { shape: 'llama-3-8b', layers: 4, vocabulary: 1024 }

/**
 * Random weights of ours.
 * @param {{ shape: string, layers: number, vocabulary: number, threads: number, bits: number }} options `bits`: the most that are made
 */
export function openRandomModel({ shape, layers, vocabulary, threads, bits, ...backend }) {
  const options = { layers, vocabularySize: vocabulary, maxBits: bits }
  return randomModel(shape, createBackend('cpu', { threads, ...backend }), options)
}

/** The same model at a number of bits, for `compareSpeed`. */
export function ours(model, bits) {
  return modelContender(model, { name: 'dpllm', precision: bits })
}

/** Random weights of the same shape in llama.cpp. */
export async function openRandomLlama({ shape, layers, vocabulary, threads, type, headType = type }) {
  const folder = `${root}models/results/cpu/`
  mkdirSync(folder, { recursive: true })
  const fields = { ...knownShapes[shape], num_hidden_layers: layers, vocab_size: vocabulary }
  const file = writeRandomGguf(`${folder}${shape}-${layers}-${vocabulary}-${type}-${headType}.gguf`, fields, type, headType)
  return openLlamaCpp(file, { name: `llama.cpp ${type}`, threads, load: () => importPeer('node-llama-cpp') })
}
