import { floatDTypes, wordsPerRow } from '@dpllm/core'
import { type Checkpoint, expectTensor, openCheckpoint } from '@dpllm/core/node'
import {
  countParameters,
  decoderProgram,
  listProfiles,
  type ModelConfig,
  type ProfileData,
  readModelConfig,
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
  const config = await readModelConfig(directory)
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
  const matrices = decoderProgram(config).weights.filter(({ shape }) => shape.length === 2)
  return matrices.map(({ name, shape }) => {
    const module = name.replace(/\.weight$/, '')
    const [rows, cols] = shape
    const bits = config.quantization?.quantizedModules[module]?.bits
    if (bits === undefined) {
      const { dtype, byteLength } = expectTensor(checkpoint, name, floatDTypes, shape)
      return { module, shape: [rows, cols], dtype, bits: [(8 * byteLength) / (rows * cols)], bytes: byteLength }
    }
    const parts = [
      expectTensor(checkpoint, `${module}.planes`, ['u32'], [Math.max(...bits), rows, wordsPerRow(cols)]),
      ...bits.map((b) => expectTensor(checkpoint, `${module}.lut${b}`, ['f16'], [rows, 2 ** b])),
    ]
    const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    return { module, shape: [rows, cols], dtype: 'bit-planes', bits, bytes }
  })
}
