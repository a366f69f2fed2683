import { FileFormatError, f16ToF32, firstNonFinite, type Tensor } from '@dpllm/core'
import type { Checkpoint, TensorInfo } from '@dpllm/core/node'

/**
 * Reads a table of centroids, f16 [rows, 2^bits].
 * @throws FileFormatError naming the tensor if a value is not finite or smaller than the one before it in its row
 */
export async function readTable(
  checkpoint: Checkpoint,
  info: TensorInfo,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<Uint16Array> {
  const table = (await checkpoint.read(info.name, options)) as Tensor<'f16'>
  const fail = (message: string) => new FileFormatError(info.file, message, { item: info.name })
  const bad = firstNonFinite(table)
  if (bad >= 0) throw fail(`element ${bad} is not a finite number`)
  const columns = info.shape[1]
  const { data } = table
  for (let i = 1; i < data.length; i++) {
    if (i % columns !== 0 && f16ToF32(data[i]) < f16ToF32(data[i - 1])) {
      throw fail(
        `expected ascending values in every row, found ${f16ToF32(data[i])} after ${f16ToF32(data[i - 1])} at element ${i}`,
      )
    }
  }
  return data
}
