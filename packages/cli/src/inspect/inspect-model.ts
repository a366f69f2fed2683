import { floatDTypes, wordsPerRow } from '@dpllm/core'
import { type Checkpoint, expectTensor, openCheckpoint } from '@dpllm/core/node'
import {
  countParameters,
  decoderProgram,
  type LinearInfo,
  listProfiles,
  type ModelConfig,
  type ProfileData,
  type ProfileTarget,
  profileTargets,
  readModelConfig,
  readProfileData,
  targetRange,
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
  /** Whether requests decide its bits: a bit-plane matrix of a decoder block. */
  readonly adaptive: boolean
}

/** An adaptation profile: what its file holds, and what follows from that. */
export type ProfileInspection = ProfileData & {
  readonly name: string
  /** Average bits for each weight that it loads. */
  readonly loadedBits: number
  /** What it was calibrated for. */
  readonly targets: readonly ProfileTarget[]
  /** What it can be asked for: all between these; undefined for one with fixed targets, which can be asked for those alone. */
  readonly range?: readonly [least: number, most: number]
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
  readonly profiles: readonly ProfileInspection[]
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
  const names = profile === undefined ? await listProfiles(directory) : [profile]
  const profiles = await Promise.all(
    names.map(async (name) => describeProfile(name, await readProfileData(directory, name), matrices)),
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
    profiles,
  }
}

function describeProfile(name: string, data: ProfileData, matrices: readonly MatrixInfo[]): ProfileInspection {
  const linears = adaptiveLinears(matrices, data.maxBits)
  const weights = linears.reduce((sum, { rows, cols }) => sum + rows * cols, 0)
  const bits = linears.reduce((sum, { rows, cols, maxBits }) => sum + rows * cols * maxBits, 0)
  const range = data.policy.kind === 'fixed' ? undefined : targetRange(data, linears)
  return { ...data, name, loadedBits: bits / weights, targets: profileTargets(data), ...(range && { range }) }
}

/** The linears whose bits requests decide, as a model with these limits loads them. */
export function adaptiveLinears(matrices: readonly MatrixInfo[], limits: Readonly<Record<string, number>>): LinearInfo[] {
  return matrices
    .filter(({ adaptive }) => adaptive)
    .map(({ module, shape: [rows, cols], bits }) => {
      const maxBits = Math.min(Math.max(...bits), limits[module] ?? Number.POSITIVE_INFINITY)
      return { module, rows, cols, minBits: Math.min(...bits), maxBits }
    })
}

function describeMatrices(checkpoint: Checkpoint, config: ModelConfig): MatrixInfo[] {
  const matrices = decoderProgram(config).weights.filter(({ shape }) => shape.length === 2)
  return matrices.map(({ name, shape }) => {
    const module = name.replace(/\.weight$/, '')
    const [rows, cols] = shape
    const bits = config.quantization?.quantizedModules[module]?.bits
    if (bits === undefined) {
      const { dtype, byteLength } = expectTensor(checkpoint, name, floatDTypes, shape)
      return { module, shape: [rows, cols], dtype, bits: [(8 * byteLength) / (rows * cols)], bytes: byteLength, adaptive: false }
    }
    const parts = [
      expectTensor(checkpoint, `${module}.planes`, ['u32'], [Math.max(...bits), rows, wordsPerRow(cols)]),
      ...bits.map((b) => expectTensor(checkpoint, `${module}.lut${b}`, ['f16'], [rows, 2 ** b])),
    ]
    const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const adaptive = module.startsWith('model.layers.')
    return { module, shape: [rows, cols], dtype: 'bit-planes', bits, bytes, adaptive }
  })
}
