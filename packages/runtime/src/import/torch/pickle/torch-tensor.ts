import { MAX_DIMENSIONS } from '@dpllm/core'

/** Element types of torch storages that are read. */
export type TorchDType = 'f64' | 'f32' | 'f16' | 'bf16' | 'i64' | 'i32' | 'i16' | 'i8' | 'u8' | 'bool'

export const torchElementBytes: Readonly<Record<TorchDType, number>> = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u8: 1,
  bool: 1,
}

/** torch's classes of storages. */
export const storageClasses: ReadonlyMap<string, TorchDType> = new Map([
  ['torch.DoubleStorage', 'f64'],
  ['torch.FloatStorage', 'f32'],
  ['torch.HalfStorage', 'f16'],
  ['torch.BFloat16Storage', 'bf16'],
  ['torch.LongStorage', 'i64'],
  ['torch.IntStorage', 'i32'],
  ['torch.ShortStorage', 'i16'],
  ['torch.CharStorage', 'i8'],
  ['torch.ByteStorage', 'u8'],
  ['torch.BoolStorage', 'bool'],
])

/** Elements that lie in an entry of the file; several tensors may look at them. */
export interface TorchStorage {
  readonly kind: 'storage'
  /** Its name in the file: the entry is PREFIX/data/KEY. */
  readonly key: string
  readonly dtype: TorchDType
  readonly elements: number
}

/** A view of a storage; nothing is read yet. The device that it was on, and requires_grad, are not kept. */
export interface TorchTensor {
  readonly kind: 'tensor'
  readonly storage: TorchStorage
  readonly dtype: TorchDType
  readonly shape: readonly number[]
  /** In elements, all at least 0. */
  readonly strides: readonly number[]
  /** Element of the storage that is the tensor's first. */
  readonly offset: number
  /** Product of the shape; never more than the storage has. */
  readonly elements: number
}

/**
 * Makes a view.
 * @param fail makes the error to throw if the view does not lie inside the storage, or repeats its elements: then a small
 * file could ask for any amount of memory
 */
export function makeTensor(
  storage: TorchStorage,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  fail: (message: string) => Error,
): TorchTensor {
  if (shape.length > MAX_DIMENSIONS) throw fail(`a tensor has ${shape.length} dimensions, at most ${MAX_DIMENSIONS} are read`)
  if (shape.length !== strides.length || ![offset, ...shape, ...strides].every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw fail(`a tensor of shape [${shape}] has strides [${strides}] and offset ${offset}`)
  }
  let elements = shape.includes(0) ? 0 : 1
  let last = offset
  for (const [i, size] of shape.entries()) {
    elements *= size
    last += Math.max(size - 1, 0) * strides[i]
    if (elements > storage.elements) {
      throw fail(`a tensor of shape [${shape}] does not fit in its storage of ${storage.elements} elements`)
    }
  }
  if (elements > 0 && last >= storage.elements) {
    throw fail(
      `a tensor of shape [${shape}], strides [${strides}] and offset ${offset} reaches beyond its storage of ${storage.elements}`,
    )
  }
  return { kind: 'tensor', storage, dtype: storage.dtype, shape, strides, offset, elements }
}
