import { bytesPerElement, elementCount, type Tensor } from '@dpllm/core'
import type { Checkpoint, TensorInfo } from '@dpllm/core/node'

/** Bytes read at a time, so that matrices of gigabytes pass through little memory. */
const PIECE_BYTES = 2 ** 24

/** Reads a tensor as rows of its last dimension, some of them at a time, in order. */
export async function* readRows(
  checkpoint: Checkpoint,
  { name, dtype, shape }: TensorInfo,
  signal?: AbortSignal,
): AsyncGenerator<Tensor> {
  const elements = elementCount(shape)
  const columns = shape.at(-1) ?? 1
  const piece = Math.max(1, Math.floor(PIECE_BYTES / bytesPerElement[dtype] / columns)) * columns
  for (let first = 0; first < elements; first += piece) {
    signal?.throwIfAborted()
    yield await checkpoint.readElements(name, first, Math.min(piece, elements - first), { signal })
  }
}
