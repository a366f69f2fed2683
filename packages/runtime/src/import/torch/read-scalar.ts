import { bf16ToF32, f16ToF32 } from '@dpllm/core'
import { ofKind, type PickleValue } from './pickle/pickle-values.js'
import type { TorchTensor } from './pickle/torch-tensor.js'
import type { TorchFile } from './torch-file.js'

/**
 * The number that a value is: a number of Python or numpy, or a tensor with one element of any dtype.
 * @returns undefined for other values
 */
export async function readScalar(file: TorchFile, value: PickleValue): Promise<number | undefined> {
  if (typeof value === 'number') return value
  if (!ofKind(value, 'tensor') || value.elements !== 1) return undefined
  return elementOf(value, new DataView(await file.readElements(value, 0, 1)))
}

function elementOf({ dtype }: TorchTensor, view: DataView): number {
  switch (dtype) {
    case 'f64':
      return view.getFloat64(0, true)
    case 'f32':
      return view.getFloat32(0, true)
    case 'f16':
      return f16ToF32(view.getUint16(0, true))
    case 'bf16':
      return bf16ToF32(view.getUint16(0, true))
    case 'i64':
      return Number(view.getBigInt64(0, true))
    case 'i32':
      return view.getInt32(0, true)
    case 'i16':
      return view.getInt16(0, true)
    case 'i8':
      return view.getInt8(0)
    case 'u8':
    case 'bool':
      return view.getUint8(0)
  }
}
