import { wordsPerRow } from './weight.js'

/**
 * Spreads codes u8 [rows, cols] of `bits` bits over planes u32 [bits, rows, wordsPerRow(cols)], most significant
 * bit first; bit i of word w is column 32w + i.
 */
export function packPlanes(codes: Uint8Array, rows: number, cols: number, bits: number): Uint32Array {
  const words = wordsPerRow(cols)
  const planes = new Uint32Array(bits * rows * words)
  for (let plane = 0; plane < bits; plane++) {
    const shift = bits - 1 - plane
    for (let row = 0; row < rows; row++) {
      const base = (plane * rows + row) * words
      for (let col = 0; col < cols; col++) {
        planes[base + (col >>> 5)] |= ((codes[row * cols + col] >>> shift) & 1) << (col & 31)
      }
    }
  }
  return planes
}

/**
 * Reads codes u8 [rows, cols] of `bits` bits back from the first `bits` planes.
 * @param planes u32 [at least bits, rows, wordsPerRow(cols)]
 */
export function unpackPlanes(planes: Uint32Array, rows: number, cols: number, bits: number): Uint8Array {
  const words = wordsPerRow(cols)
  const codes = new Uint8Array(rows * cols)
  for (let plane = 0; plane < bits; plane++) {
    for (let row = 0; row < rows; row++) {
      const base = (plane * rows + row) * words
      for (let col = 0; col < cols; col++) {
        const i = row * cols + col
        codes[i] = (codes[i] << 1) | ((planes[base + (col >>> 5)] >>> (col & 31)) & 1)
      }
    }
  }
  return codes
}
