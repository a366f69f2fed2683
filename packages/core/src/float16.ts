import type { FloatTensor } from './tensor.js'

const scratch = new ArrayBuffer(4)
const asF32 = new Float32Array(scratch)
const asU32 = new Uint32Array(scratch)

let halfTable: Float32Array | undefined

/** All 65536 half-precision values by bit pattern (IEEE 754 binary16). */
function halves(): Float32Array {
  if (halfTable) return halfTable
  halfTable = new Float32Array(65536)
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits >> 15 ? -1 : 1
    const exponent = (bits >> 10) & 31
    const mantissa = bits & 1023
    halfTable[bits] =
      exponent === 0
        ? sign * mantissa * 2 ** -24
        : exponent === 31
          ? mantissa
            ? Number.NaN
            : sign * Number.POSITIVE_INFINITY
          : sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
  }
  return halfTable
}

export function f16ToF32(bits: number): number {
  return halves()[bits]
}

/** Nearest half, ties to even; overflows to infinity as IEEE 754 says. */
export function f32ToF16(value: number): number {
  asF32[0] = value
  const u = asU32[0]
  const sign = (u >>> 16) & 0x8000
  const magnitude = u & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Subnormal half: a multiple of 2^-24. Scaling by a power of two is exact, so only one rounding happens.
    return sign | roundHalfEven(Math.abs(asF32[0]) * 2 ** 24)
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

export function bf16ToF32(bits: number): number {
  asU32[0] = bits << 16
  return asF32[0]
}

/** Nearest bfloat16, ties to even. */
export function f32ToBf16(value: number): number {
  asF32[0] = value
  const u = asU32[0]
  if ((u & 0x7fffffff) > 0x7f800000) return (u >>> 16) | 0x40
  return ((u + 0x7fff + ((u >>> 16) & 1)) >>> 16) & 0xffff
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0)
}

/** Widens a floating-point tensor's elements to f32; `f32` data is returned as it is, not copied. */
export function toFloat32(tensor: FloatTensor): Float32Array {
  if (tensor.dtype === 'f32') return tensor.data
  const out = new Float32Array(tensor.data.length)
  if (tensor.dtype === 'f16') {
    const table = halves()
    for (let i = 0; i < out.length; i++) out[i] = table[tensor.data[i]]
  } else {
    const words = new Uint32Array(out.buffer)
    for (let i = 0; i < out.length; i++) words[i] = tensor.data[i] << 16
  }
  return out
}

/** Narrows f32 values to half precision. */
export function toFloat16(values: Float32Array | readonly number[]): Uint16Array {
  const out = new Uint16Array(values.length)
  for (let i = 0; i < out.length; i++) out[i] = f32ToF16(values[i])
  return out
}
