import { FileFormatError } from '@dpllm/core'
import { describeValue, ofKind, type PickleValue } from '../torch/pickle/pickle-values.js'

/**
 * The entries of a dict of DP-LLM by module of our model. Its keys are (block index, last part of the module's name).
 * @param moduleOf our module of such a key, written `0.q_proj`
 * @throws FileFormatError for another value, or a key that is there twice or is no linear of the model
 */
export function keyedDict(value: PickleValue, file: string, moduleOf: ReadonlyMap<string, string>): Map<string, PickleValue> {
  if (!ofKind(value, 'dict')) throw new FileFormatError(file, `expected a dict by (block, name), found ${describeValue(value)}`)
  const found = new Map<string, PickleValue>()
  for (const [key, entry] of value.entries) {
    const [block, name] = ofKind(key, 'tuple') ? key.items : []
    if (typeof block !== 'number' || typeof name !== 'string') {
      throw new FileFormatError(file, `expected keys (block, name), found ${describeValue(key)}`)
    }
    const item = `(${block}, '${name}')`
    const module = moduleOf.get(`${block}.${name}`)
    if (module === undefined) throw new FileFormatError(file, 'is no quantized linear of the model', { item })
    if (found.has(module)) throw new FileFormatError(file, 'is there twice', { item })
    found.set(module, entry)
  }
  return found
}

/**
 * Our modules by DP-LLM's keys, written `0.q_proj`.
 * @param modules names such as model.layers.0.self_attn.q_proj
 * @throws FileFormatError if two linears of a block end alike, which those keys cannot tell apart
 */
export function modulesByKey(modules: Iterable<string>, file: string): Map<string, string> {
  const moduleOf = new Map<string, string>()
  for (const module of modules) {
    const [, block, name] = /\.(\d+)\.(?:.*\.)?([^.]+)$/.exec(module) ?? []
    const key = `${Number(block)}.${name}`
    if (moduleOf.has(key)) throw new FileFormatError(file, `${moduleOf.get(key)} has the same name for DP-LLM`, { item: module })
    moduleOf.set(key, module)
  }
  return moduleOf
}
