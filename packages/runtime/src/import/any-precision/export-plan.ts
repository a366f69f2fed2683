import { floatDTypes, UnsupportedError } from '@dpllm/core'
import { type Checkpoint, expectTensor, type TensorInfo } from '@dpllm/core/node'
import type { ModelConfig } from '../../config/model-config.js'
import { type BitPlaneModule, moduleTensors } from '../../folder/bit-plane-module.js'
import { decoderProgram } from '../../models/decoder.js'

const HEAD = 'lm_head'
const EMBEDDING = 'model.embed_tokens.weight'

/** A module of our folder with its tensors. */
export interface StoredModule extends BitPlaneModule {
  readonly planes: TensorInfo
  readonly tables: readonly TensorInfo[]
}

/** A tensor to be made: a linear of a block, a copy in half precision, a quantized head made dense, or the tied head. */
export type ExportedTensor =
  | { readonly kind: 'module'; readonly module: StoredModule }
  | { readonly kind: 'copy'; readonly copy: TensorInfo }
  | { readonly kind: 'dense'; readonly head: StoredModule }
  | { readonly kind: 'tied'; readonly name: string; readonly sameAs: string }

export interface ExportPlan {
  readonly seedBits: number
  readonly maxBits: number
  /** Names of the linears inside a block, the same in every block. */
  readonly moduleNames: readonly string[]
  readonly tensors: readonly ExportedTensor[]
}

/**
 * Decides how a model of ours becomes one of Any-Precision's, and checks that all tensors are there.
 * @throws UnsupportedError for what that format cannot say: blocks or linears that differ in bits, columns that are no
 * multiple of 32; FileFormatError naming file and tensor
 */
export function planExport(checkpoint: Checkpoint, config: ModelConfig): ExportPlan {
  const { weights, frequencies } = decoderProgram(config)
  const specs = weights.filter(({ name }) => name !== frequencies)
  const tensors = specs.map(({ name, shape }): ExportedTensor => {
    const module = name.replace(/\.weight$/, '')
    const bits = config.quantization?.quantizedModules[module]?.bits
    if (bits === undefined) return { kind: 'copy', copy: expectTensor(checkpoint, name, floatDTypes, shape) }
    const [seedBits, maxBits] = [Math.min(...bits), Math.max(...bits)]
    const stored = storedModule(checkpoint, { name: module, rows: shape[0], cols: shape[1], seedBits, maxBits })
    if (module !== HEAD) return { kind: 'module', module: stored }
    return config.tiedEmbeddings ? tiedHead : { kind: 'dense', head: stored }
  })
  if (config.tiedEmbeddings && !tensors.includes(tiedHead)) tensors.push(tiedHead)
  tensors.push(...otherTensors(checkpoint, tensors))
  const modules = tensors.flatMap((t) => (t.kind === 'module' ? [t.module] : []))
  return { ...commonBits(modules), moduleNames: namesInBlocks(modules, config.layers), tensors }
}

const tiedHead: ExportedTensor = { kind: 'tied', name: `${HEAD}.weight`, sameAs: EMBEDDING }

function storedModule(checkpoint: Checkpoint, module: BitPlaneModule): StoredModule {
  const [planes, ...tables] = moduleTensors(module).map(({ name, dtype, shape }) =>
    expectTensor(checkpoint, name, [dtype], shape),
  )
  return { ...module, planes, tables }
}

/** Floating-point tensors that the model does not need; those of other dtypes have no place in a model of halves. */
function otherTensors(checkpoint: Checkpoint, planned: readonly ExportedTensor[]): ExportedTensor[] {
  const used = new Set(planned.flatMap((t) => (t.kind === 'copy' ? [t.copy.name] : t.kind === 'tied' ? [t.name] : [])))
  const others = [...checkpoint.tensors.values()].filter(({ name, dtype }) => {
    const isPart = /\.(planes|lut\d)$/.test(name)
    return !used.has(name) && !isPart && (floatDTypes as readonly string[]).includes(dtype)
  })
  return others.map((copy) => ({ kind: 'copy', copy }))
}

function commonBits(modules: readonly StoredModule[]): { seedBits: number; maxBits: number } {
  if (modules.length === 0) throw new UnsupportedError('Any-Precision: the model is not quantized (run dpllm quantize first)')
  const [{ seedBits, maxBits, name: first }] = modules
  for (const { name, cols, ...bits } of modules) {
    if (bits.seedBits !== seedBits || bits.maxBits !== maxBits) {
      throw new UnsupportedError(
        `Any-Precision has one range of bits for all linears, but ${first} has ${seedBits} to ${maxBits} and ${name} ${bits.seedBits} to ${bits.maxBits}`,
      )
    }
    if (cols % 32 !== 0) throw new UnsupportedError(`Any-Precision packs multiples of 32 columns, but ${name} has ${cols}`)
  }
  return { seedBits, maxBits }
}

function namesInBlocks(modules: readonly StoredModule[], layers: number): string[] {
  const blocks = Array.from({ length: layers }, () => [] as string[])
  for (const { name } of modules) {
    const [, layer, inside] = /^model\.layers\.(\d+)\.(.+)$/.exec(name) ?? []
    blocks[Number(layer)].push(inside)
  }
  const [names] = blocks
  const other = blocks.findIndex((block) => block.join() !== names.join())
  if (other >= 0) throw new UnsupportedError(`Any-Precision quantizes the same linears in all blocks, but block ${other} differs`)
  return names
}
