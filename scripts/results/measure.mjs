import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { dpllm, dpllmJson } from '../lib/dpllm.mjs'

/**
 * Makes a model by a `dpllm` command unless its folder is there: the command makes it whole or not at all, and goes on with
 * what an interrupted one left.
 * @param {string} folder
 * @param {...string} command without its `-o`
 */
export function make(folder, ...command) {
  if (!existsSync(folder)) dpllm(...command, '-o', folder)
  return folder
}

/**
 * Calibrates a model unless it has a profile of this name.
 * @param {string} model
 * @param {string} name
 * @param {...string} flags of `dpllm calibrate`
 */
export function calibrate(model, name, ...flags) {
  if (!existsSync(profileFile(model, name))) dpllm('calibrate', model, '--name', name, ...flags)
  return name
}

function profileFile(model, name) {
  return path.join(model, 'profiles', `${name}.json`)
}

/**
 * What `dpllm eval ppl` says, kept in a file: a model or profile that has been made anew is measured anew.
 * @param {string} cache folder
 * @param {string} model
 * @param {...string} flags
 */
export function perplexity(cache, model, ...flags) {
  return evaluate(cache, 'ppl', model, flags)
}

/** The same of `dpllm eval bits`. */
export function requestBits(cache, model, ...flags) {
  return evaluate(cache, 'bits', model, flags)
}

function evaluate(cache, what, model, flags) {
  const config = statSync(path.join(model, 'config.json')).mtimeMs
  const profile = flags.indexOf('--profile')
  const made = profile < 0 ? config : [config, statSync(profileFile(model, flags[profile + 1])).mtimeMs]
  const key = createHash('sha256')
    .update(JSON.stringify([...(what === 'ppl' ? [] : [what]), model, made, flags]))
    .digest('hex')
    .slice(0, 16)
  const file = path.join(cache, `${path.basename(model)}-${key}.json`)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))
  const result = dpllmJson('eval', what, model, ...flags)
  mkdirSync(cache, { recursive: true })
  writeFileSync(`${file}.tmp`, JSON.stringify(result))
  renameSync(`${file}.tmp`, file)
  return result
}

/**
 * Chunk losses of a method at bits between those that it was measured at: linear between the two measurements around them, or
 * the two nearest.
 * @param {{ effectiveBits: number, chunkLosses: number[] }[]} curve
 * @param {number} bits
 */
export function lossesAt(curve, bits) {
  const sorted = [...curve].sort((a, b) => a.effectiveBits - b.effectiveBits)
  const above = sorted.findIndex(({ effectiveBits }) => effectiveBits >= bits)
  const at = Math.min(Math.max(above < 0 ? sorted.length - 1 : above, 1), sorted.length - 1)
  const [low, high] = [sorted[at - 1], sorted[at]]
  const part = (bits - low.effectiveBits) / (high.effectiveBits - low.effectiveBits)
  return { chunkLosses: low.chunkLosses.map((loss, i) => loss + part * (high.chunkLosses[i] - loss)) }
}

/** Mean of b's chunk losses minus a's, in nats, and its standard error: both found the same chunks hard. */
export function pairedDifference(a, b) {
  const differences = b.chunkLosses.map((loss, i) => loss - a.chunkLosses[i])
  const { mean, deviation } = meanOf(differences)
  return { mean, standardError: deviation / Math.sqrt(differences.length) }
}

/** Mean and standard deviation. */
export function meanOf(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) }
}
