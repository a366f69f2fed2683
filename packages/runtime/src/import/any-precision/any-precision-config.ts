import path from 'node:path'
import { FileFormatError, isJsonObject, MAX_BITS, MIN_BITS, UnsupportedError } from '@dpllm/core'
import { readJson } from '@dpllm/core/node'
import { z } from 'zod'
import type { ModelConfig } from '../../config/model-config.js'
import { parseModelConfig } from '../../config/read-config.js'

/** A dotted name of modules. */
const name = z.string().min(1).max(256)
const bits = z.number().int().min(1).max(MAX_BITS)

/** What config.json of a packed Any-Precision model holds under "anyprec" (its pack.py). */
const anyPrecisionSchema = z.looseObject({
  seed_precision: bits,
  parent_precision: bits,
  group_count: z.number().int().optional(),
  arch_config: z.looseObject({ module_names: z.array(name).min(1).max(64), model_name: name, layers_name: name }),
})

export interface AnyPrecisionConfig {
  /** config.json without the member "anyprec". */
  readonly json: Readonly<Record<string, unknown>>
  readonly model: ModelConfig
  readonly seedBits: number
  readonly maxBits: number
  /** Names of the quantized linears, by block. */
  readonly modules: readonly string[]
}

/**
 * Reads config.json of a packed Any-Precision model.
 * @throws FileFormatError; UnsupportedError for an architecture without a program, groups of columns, or fewer than 3 bits
 */
export async function readAnyPrecisionConfig(directory: string): Promise<AnyPrecisionConfig> {
  const file = path.join(directory, 'config.json')
  const config = await readJson(file)
  if (!isJsonObject(config) || config.anyprec === undefined) {
    throw new FileFormatError(file, 'expected a model that Any-Precision LLM packed, whose config has a member anyprec')
  }
  const { anyprec, ...json } = config
  const parsed = anyPrecisionSchema.safeParse(anyprec)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new FileFormatError(file, issue.message, { item: ['anyprec', ...issue.path].join('.') })
  }
  const { seed_precision: seedBits, parent_precision: maxBits, group_count: groups = 1, arch_config: names } = parsed.data
  if (seedBits > maxBits) {
    throw new FileFormatError(file, `expected at most parent_precision ${maxBits}, found ${seedBits}`, {
      item: 'anyprec.seed_precision',
    })
  }
  if (groups !== 1) throw new UnsupportedError(`${file}: group_count ${groups}; only rows with one table each (1) are read`)
  if (seedBits < MIN_BITS) throw new UnsupportedError(`${file}: seed_precision ${seedBits}; at least ${MIN_BITS} bits are read`)
  const model = parseModelConfig(json, file)
  const modules = Array.from({ length: model.layers }, (_, layer) =>
    [...new Set(names.module_names)].map((module) => `${names.model_name}.${names.layers_name}.${layer}.${module}`),
  ).flat()
  return { json, model, seedBits, maxBits, modules }
}
