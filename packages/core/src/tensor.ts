/** Element types of tensors, named as in safetensors but in lower case. */
export type DType = 'f32' | 'f16' | 'bf16' | 'u8' | 'i32' | 'u32'

export interface ArrayOfDType {
  f32: Float32Array
  /** IEEE half precision, as bit patterns. */
  f16: Uint16Array
  /** bfloat16, as bit patterns. */
  bf16: Uint16Array
  u8: Uint8Array
  i32: Int32Array
  u32: Uint32Array
}

/** A row-major, contiguous tensor: plain data that any engine can make without importing a class. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D
  readonly shape: readonly number[]
  readonly data: ArrayOfDType[D]
}

/** Floating-point tensors: what weights, norms and embeddings are stored as. */
export type FloatTensor = Tensor<'f32'> | Tensor<'f16'> | Tensor<'bf16'>

/** Their dtypes. */
export const floatDTypes: readonly FloatTensor['dtype'][] = ['f32', 'f16', 'bf16']

export const bytesPerElement: Record<DType, number> = { f32: 4, f16: 2, bf16: 2, u8: 1, i32: 4, u32: 4 }

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  let n = 1
  for (const d of shape) n *= d
  return n
}

/** Lays `length` elements of a dtype over bytes; copies only when `offset` is not aligned for that dtype. */
export function typedArray<D extends DType>(dtype: D, buffer: ArrayBufferLike, offset: number, length: number): ArrayOfDType[D] {
  const size = bytesPerElement[dtype]
  if (offset % size !== 0) {
    return typedArray(dtype, buffer.slice(offset, offset + length * size), 0, length)
  }
  const constructors = {
    f32: Float32Array,
    f16: Uint16Array,
    bf16: Uint16Array,
    u8: Uint8Array,
    i32: Int32Array,
    u32: Uint32Array,
  }
  return new constructors[dtype](buffer as ArrayBuffer, offset, length) as ArrayOfDType[D]
}
