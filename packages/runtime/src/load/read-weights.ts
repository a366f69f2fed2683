import {
  type BitPlaneWeight,
  FileFormatError,
  type FloatTensor,
  firstNonFinite,
  floatDTypes,
  InvalidArgumentError,
  type OnProgress,
  type Tensor,
  type Weight,
  wordsPerRow,
} from '@dpllm/core'
import { type Checkpoint, expectTensor, type TensorInfo } from '@dpllm/core/node'
import type { ModelConfig } from '../config/model-config.js'
import type { DecoderProgram } from '../models/decoder.js'

export interface ReadWeightsOptions {
  /** Most bits of each module to read; planes above are left on the disk. Default all that the file has. */
  readonly maxBits?: (module: string) => number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/**
 * Reads what a program needs from a checkpoint: dense tensors as they are stored, bit-planes up to the bits asked for.
 * @throws FileFormatError naming file and tensor for one that is missing, misshapen or not finite
 */
export async function readWeights(
  checkpoint: Checkpoint,
  config: ModelConfig,
  decoder: DecoderProgram,
  { maxBits, signal, onProgress }: ReadWeightsOptions = {},
): Promise<Map<string, Weight>> {
  const weights = new Map<string, Weight>()
  const specs = decoder.weights.filter((spec) => spec.name !== decoder.frequencies)
  let done = 0
  for (const { name, shape } of specs) {
    signal?.throwIfAborted()
    const module = name.replace(/\.weight$/, '')
    const quantized = config.quantization?.quantizedModules[module]
    weights.set(
      name,
      quantized === undefined
        ? await readDense(checkpoint, name, shape, signal)
        : await readBitPlanes(checkpoint, module, shape as [number, number], quantized.bits, maxBits?.(module), signal),
    )
    onProgress?.({ stage: 'load', done: ++done, total: specs.length, unit: 'tensors' })
  }
  const { frequencies } = config.rope
  weights.set(decoder.frequencies, { dtype: 'f32', shape: [frequencies.length], data: frequencies })
  return weights
}

async function readDense(
  checkpoint: Checkpoint,
  name: string,
  shape: readonly number[],
  signal: AbortSignal | undefined,
): Promise<FloatTensor> {
  const info = expectTensor(checkpoint, name, floatDTypes, shape)
  const tensor = (await checkpoint.read(name, { signal })) as FloatTensor
  checkFinite(info, tensor)
  return tensor
}

async function readBitPlanes(
  checkpoint: Checkpoint,
  module: string,
  [rows, cols]: readonly [number, number],
  bits: readonly number[],
  limit: number | undefined,
  signal: AbortSignal | undefined,
): Promise<BitPlaneWeight> {
  const seedBits = Math.min(...bits)
  const stored = Math.max(...bits)
  const maxBits = Math.min(limit ?? stored, stored)
  if (maxBits < seedBits) throw new InvalidArgumentError('maxBits', `at least ${seedBits}, the fewest bits of ${module}`, maxBits)
  const planeWords = rows * wordsPerRow(cols)
  expectTensor(checkpoint, `${module}.planes`, ['u32'], [stored, rows, wordsPerRow(cols)])
  const planes = (await checkpoint.readElements(`${module}.planes`, 0, maxBits * planeWords, { signal })) as Tensor<'u32'>
  const luts: Uint16Array[] = []
  for (let b = seedBits; b <= maxBits; b++) {
    const info = expectTensor(checkpoint, `${module}.lut${b}`, ['f16'], [rows, 2 ** b])
    const lut = (await checkpoint.read(info.name, { signal })) as Tensor<'f16'>
    checkFinite(info, lut)
    luts.push(lut.data)
  }
  return { kind: 'bitPlanes', rows, cols, seedBits, maxBits, planes: planes.data, luts }
}

function checkFinite(info: TensorInfo, tensor: FloatTensor): void {
  const at = firstNonFinite(tensor)
  if (at >= 0) throw new FileFormatError(info.file, `element ${at} is not a finite number`, { item: info.name })
}
