import {
  type BitPlaneWeight,
  dequantize,
  FileFormatError,
  type FloatTensor,
  firstNonFinite,
  type Tensor,
  toFloat16,
  toFloat32,
  wordsPerRow,
} from '@dpllm/core'
import type { Checkpoint, TensorInfo } from '@dpllm/core/node'
import type { StoredModule } from './export-plan.js'
import { readRows } from './read-rows.js'
import { readTable } from './read-table.js'

/** Weights of a quantized head that are made dense at a time. */
const PIECE_WEIGHTS = 2 ** 22

/**
 * A dense tensor's elements as halves, piece by piece; those that are halves already stay as they are.
 * @throws FileFormatError naming the tensor if one is not finite or too large for a half
 */
export async function* asHalves(checkpoint: Checkpoint, info: TensorInfo, signal?: AbortSignal): AsyncGenerator<Uint16Array> {
  for await (const rows of readRows(checkpoint, info, signal)) {
    const tensor = rows as FloatTensor
    const data = tensor.dtype === 'f16' ? tensor.data : toFloat16(toFloat32(tensor))
    const bad = firstNonFinite({ dtype: 'f16', shape: tensor.shape, data })
    if (bad >= 0) {
      const value = toFloat32(tensor)[bad]
      throw new FileFormatError(info.file, `holds ${value}, which is no finite number in half precision`, { item: info.name })
    }
    yield data
  }
}

/** A quantized matrix read at its most bits, as halves, some rows at a time: exactly the values of its tables. */
export async function* dequantizedHalves(
  checkpoint: Checkpoint,
  module: StoredModule,
  { signal, weightsAtOnce = PIECE_WEIGHTS }: { signal?: AbortSignal | undefined; weightsAtOnce?: number } = {},
): AsyncGenerator<Uint16Array> {
  const { rows, cols, maxBits, planes } = module
  const table = await readTable(checkpoint, module.tables[module.tables.length - 1], { signal })
  const words = wordsPerRow(cols)
  const piece = Math.max(1, Math.floor(weightsAtOnce / cols))
  for (let first = 0; first < rows; first += piece) {
    signal?.throwIfAborted()
    const count = Math.min(piece, rows - first)
    const part = new Uint32Array(maxBits * count * words)
    for (let plane = 0; plane < maxBits; plane++) {
      const begin = (plane * rows + first) * words
      const read = (await checkpoint.readElements(planes.name, begin, count * words, { signal })) as Tensor<'u32'>
      part.set(read.data, plane * count * words)
    }
    const luts = [table.subarray(first * 2 ** maxBits, (first + count) * 2 ** maxBits)]
    const weight: BitPlaneWeight = { kind: 'bitPlanes', rows: count, cols, seedBits: maxBits, maxBits, planes: part, luts }
    yield toFloat16(dequantize(weight, maxBits))
  }
}
