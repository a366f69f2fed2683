import path from 'node:path'
import { FileFormatError, parseJson } from '@dpllm/core'
import { type Checkpoint, openCheckpoint, readText } from '@dpllm/core/node'
import {
  countParameters,
  decoderProgram,
  listProfiles,
  type ModelConfig,
  type ProfileData,
  parseModelConfig,
  readProfile,
} from '@dpllm/runtime'

/** A matrix of a model as its files hold it. */
export interface MatrixInfo {
  readonly module: string
  readonly shape: readonly [rows: number, cols: number]
  /** Type of the elements, `bit-planes` for nested ones. */
  readonly dtype: string
  /** Bit counts that it can be read at; its only width if it is dense. */
  readonly bits: readonly number[]
  /** Bytes in the files, tables included. */
  readonly bytes: number
}

/** What a model's folder holds. */
export interface ModelInspection {
  readonly directory: string
  readonly family: string
  readonly layers: number
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly vocabularySize: number
  readonly contextLength: number
  readonly quantized: boolean
  /** Number of weights; a head shared with the embedding counts once. */
  readonly parameters: number
  readonly bytes: number
  readonly matrices: readonly MatrixInfo[]
  readonly profiles: readonly (ProfileData & { readonly name: string })[]
}

/**
 * Looks at a model without loading its weights.
 * @param profile name of the only profile to look at; default all
 * @throws FileFormatError naming file and tensor, UnsupportedError for an unknown architecture
 */
export async function inspectModel(directory: string, profile?: string): Promise<ModelInspection> {
  const file = path.join(directory, 'config.json')
  const config = parseModelConfig(parseJson(await readText(file), { file }), file)
  await using checkpoint = await openCheckpoint(directory)
  const matrices = describeMatrices(checkpoint, config)
  const profiles = await Promise.all(
    (profile === undefined ? await listProfiles(directory) : [profile]).map((name) => readProfile(directory, name)),
  )
  const { family, layers, hiddenSize, intermediateSize, heads, kvHeads, headDim, vocabularySize, contextLength } = config
  return {
    directory,
    family,
    layers,
    hiddenSize,
    intermediateSize,
    heads,
    kvHeads,
    headDim,
    vocabularySize,
    contextLength,
    quantized: config.quantization !== undefined,
    parameters: countParameters(decoderProgram(config), config),
    bytes: [...checkpoint.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    matrices,
    profiles: profiles.map(({ name, data }) => ({ name, ...data })),
  }
}

function describeMatrices(checkpoint: Checkpoint, config: ModelConfig): MatrixInfo[] {
  const tensor = (name: string) => {
    const info = checkpoint.tensors.get(name)
    if (info === undefined)
      throw new FileFormatError(checkpoint.directory, 'the model needs this tensor, and no file of the folder has it', {
        item: name,
      })
    return info
  }
  const matrices = decoderProgram(config).weights.filter(({ shape }) => shape.length === 2)
  return matrices.map(({ name, shape }) => {
    const module = name.replace(/\.weight$/, '')
    const [rows, cols] = shape
    const bits = config.quantization?.quantizedModules[module]?.bits
    if (bits === undefined) {
      const { dtype, byteLength } = tensor(name)
      return { module, shape: [rows, cols], dtype, bits: [(8 * byteLength) / (rows * cols)], bytes: byteLength }
    }
    const parts = [`${module}.planes`, ...bits.map((b) => `${module}.lut${b}`)]
    const bytes = parts.reduce((sum, part) => sum + tensor(part).byteLength, 0)
    return { module, shape: [rows, cols], dtype: 'bit-planes', bits, bytes }
  })
}
