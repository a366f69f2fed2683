import { FileFormatError, floatDTypes } from '@dpllm/core'
import { type Checkpoint, expectTensor, type TensorInfo } from '@dpllm/core/node'
import type { BitPlaneModule } from '../../folder/bit-plane-module.js'
import { decoderProgram } from '../../models/decoder.js'
import type { AnyPrecisionConfig } from './any-precision-config.js'

/** A quantized linear of a packed model. */
export interface PackedModule extends BitPlaneModule {
  /** i32 [maxBits, rows, cols / 32] in Any-Precision's order of bits. */
  readonly planes: TensorInfo
  /** f16 [rows, 2^b] for b = seedBits … maxBits. */
  readonly tables: readonly TensorInfo[]
}

/** What becomes of the tensors of a packed model, in the order of the model. */
export type PlannedTensor = { readonly module: PackedModule } | { readonly copy: TensorInfo }

const HEAD = 'lm_head.weight'

/**
 * Decides what becomes of every tensor and checks, before anything is written, that all that the model needs is there in
 * the right shape. A head that is tied to the embedding is left out: it is the embedding.
 * @throws FileFormatError naming file and tensor
 */
export function planImport(checkpoint: Checkpoint, config: AnyPrecisionConfig): PlannedTensor[] {
  const { weights, frequencies } = decoderProgram(config.model)
  const specs = weights.filter(({ name }) => name !== frequencies)
  const quantized = new Set(config.modules.map((module) => `${module}.weight`))
  for (const name of quantized) {
    const shape = specs.find((spec) => spec.name === name)?.shape
    const fail = (message: string) => new FileFormatError(checkpoint.directory, message, { item: name })
    if (shape?.length !== 2) throw fail('config.json says that it is quantized, but the model has no such linear')
    if (shape[1] % 32 !== 0) throw fail(`has ${shape[1]} columns, of which Any-Precision cannot pack other than multiples of 32`)
  }

  const planned = specs.map(({ name, shape }): PlannedTensor => {
    if (!quantized.has(name)) return { copy: expectTensor(checkpoint, name, floatDTypes, shape) }
    return { module: packedModule(checkpoint, config, name.slice(0, -'.weight'.length), shape as [number, number]) }
  })
  const used = new Set(planned.flatMap((p) => ('copy' in p ? [p.copy] : [p.module.planes, ...p.module.tables])))
  for (const info of checkpoint.tensors.values()) {
    if (!used.has(info) && !(info.name === HEAD && config.model.tiedEmbeddings)) planned.push({ copy: info })
  }
  return planned
}

function packedModule(
  checkpoint: Checkpoint,
  { seedBits, maxBits }: AnyPrecisionConfig,
  name: string,
  [rows, cols]: readonly [number, number],
): PackedModule {
  const planes = expectTensor(checkpoint, `${name}.qweight`, ['i32'], [maxBits, rows, cols / 32])
  const tables: TensorInfo[] = []
  for (let bits = seedBits; bits <= maxBits; bits++) {
    // GuidedQuant's models of one bit count have no number in the name.
    const single = seedBits === maxBits && checkpoint.tensors.has(`${name}.lut`)
    tables.push(expectTensor(checkpoint, single ? `${name}.lut` : `${name}.lut${bits}`, ['f16'], [rows, 2 ** bits]))
  }
  if (checkpoint.tensors.has(`${name}.planes`)) {
    throw new FileFormatError(planes.file, 'a tensor of this name is to be written', { item: `${name}.planes` })
  }
  return { name, rows, cols, seedBits, maxBits, planes, tables }
}
