import type { FloatTensor } from './tensor.js'

/** Index of the first infinity or NaN, −1 if there is none: those are the patterns whose exponent bits are all ones. */
export function firstNonFinite({ dtype, data }: FloatTensor): number {
  if (dtype === 'f32') {
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length)
    for (let i = 0; i < words.length; i++) if ((words[i] & 0x7f800000) === 0x7f800000) return i
    return -1
  }
  const exponent = dtype === 'f16' ? 0x7c00 : 0x7f80
  for (let i = 0; i < data.length; i++) if ((data[i] & exponent) === exponent) return i
  return -1
}
