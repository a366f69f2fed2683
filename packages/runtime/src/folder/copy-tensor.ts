import {
  bytesPerElement,
  elementCount,
  FileFormatError,
  type FloatTensor,
  firstNonFinite,
  floatDTypes,
  type Tensor,
} from '@dpllm/core'
import type { TensorInfo, TensorSource } from '@dpllm/core/node'

/** Bytes read at a time, so that an embedding of a gigabyte passes through little memory. */
const PIECE_BYTES = 2 ** 24

/**
 * A tensor's elements as they are stored, piece by piece.
 * @throws FileFormatError if one is not finite or the file cannot be read
 */
export async function* copyTensor(source: TensorSource, info: TensorInfo, signal?: AbortSignal): AsyncGenerator<ArrayBufferView> {
  const elements = elementCount(info.shape)
  const piece = PIECE_BYTES / bytesPerElement[info.dtype]
  for (let first = 0; first < elements; first += piece) {
    signal?.throwIfAborted()
    const tensor = await source.readElements(info.name, first, Math.min(piece, elements - first), { signal })
    const bad = isFloat(tensor) ? firstNonFinite(tensor) : -1
    if (bad >= 0) throw new FileFormatError(info.file, `element ${first + bad} is not a finite number`, { item: info.name })
    yield tensor.data
  }
}

function isFloat(tensor: Tensor): tensor is FloatTensor {
  return (floatDTypes as readonly string[]).includes(tensor.dtype)
}
