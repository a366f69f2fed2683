import { f16ToF32, MAX_DIMENSIONS } from '@dpllm/core'

/** numpy's dtypes that are read: kind and bytes, little-endian. */
const dtypeNames = ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1'] as const
export type NumpyDTypeName = (typeof dtypeNames)[number]

/** numpy.dtype. */
export interface NumpyDType {
  readonly kind: 'dtype'
  readonly name: NumpyDTypeName
}

/** numpy.ndarray in C order. A pickle makes it empty and fills it by its next step. */
export interface NumpyArray {
  readonly kind: 'array'
  dtype: NumpyDTypeName
  shape: readonly number[]
  /** Little-endian elements, a part of the pickle's own bytes or of a string in it. */
  bytes: Uint8Array
}

export function isNumpyDTypeName(name: string): name is NumpyDTypeName {
  return (dtypeNames as readonly string[]).includes(name)
}

/** Number of bytes that an array of that shape has; NaN if it is no shape. */
export function numpyBytes(dtype: NumpyDTypeName, shape: readonly unknown[]): number {
  if (shape.length > MAX_DIMENSIONS) return Number.NaN
  let bytes = Number(dtype.slice(1))
  for (const d of shape) {
    if (typeof d !== 'number' || !Number.isSafeInteger(d) || d < 0) return Number.NaN
    bytes *= d
  }
  return bytes
}

/** The number that the bytes of one element are; undefined for a 64-bit integer that f64 does not hold exactly. */
export function numpyNumber(dtype: NumpyDTypeName, bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (dtype) {
    case 'f2':
      return f16ToF32(view.getUint16(0, true))
    case 'f4':
      return view.getFloat32(0, true)
    case 'f8':
      return view.getFloat64(0, true)
    case 'i1':
      return view.getInt8(0)
    case 'i2':
      return view.getInt16(0, true)
    case 'i4':
      return view.getInt32(0, true)
    case 'i8':
      return safeNumber(view.getBigInt64(0, true))
    case 'u1':
    case 'b1':
      return view.getUint8(0)
    case 'u2':
      return view.getUint16(0, true)
    case 'u4':
      return view.getUint32(0, true)
    case 'u8':
      return safeNumber(view.getBigUint64(0, true))
  }
}

/** The same integer as a number, if that is exact. */
export function safeNumber(value: bigint): number | undefined {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : undefined
}
