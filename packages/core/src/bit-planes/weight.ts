import { InvalidArgumentError } from '../errors.js'

/** Fewest and most bits of the nested code (Any-Precision LLM §4: a 3-bit seed split up to 8 bits). */
export const MIN_BITS = 3
export const MAX_BITS = 8

/**
 * A matrix [rows, cols] stored once as nested bit-planes and read at any bit count from `seedBits` to `maxBits`.
 * The b-bit code of an element is the first b bits of its longest one (code_b = code_max >> (max − b)), and every
 * row has its own table of centroids for every b (Any-Precision LLM §4).
 */
export interface BitPlaneWeight {
  readonly kind: 'bitPlanes'
  readonly rows: number
  readonly cols: number
  /** Fewest bits that it can be read at. */
  readonly seedBits: number
  /** Number of planes here, and most bits that it can be read at; fewer than in the file under a memory budget. */
  readonly maxBits: number
  /** u32 [maxBits, rows, wordsPerRow(cols)]; plane 0 is the most significant bit; bit i of word w is column 32w + i; padding bits are 0. */
  readonly planes: Uint32Array
  /** luts[b − seedBits]: f16 [rows, 2^b], the centroids of b-bit codes, ascending. */
  readonly luts: readonly Uint16Array[]
}

/** u32 words that hold one bit for each column. */
export function wordsPerRow(cols: number): number {
  return Math.ceil(cols / 32)
}

/** f16 [rows, 2^bits]: the centroids that codes of `bits` bits index. */
export function lutOf(weight: BitPlaneWeight, bits: number): Uint16Array {
  const lut = weight.luts[bits - weight.seedBits]
  if (lut === undefined || bits > weight.maxBits) {
    throw new InvalidArgumentError('bits', `a bit count from ${weight.seedBits} to ${weight.maxBits}`, bits)
  }
  return lut
}

/** Entries of the tables of all bit counts of one row: Σ_b 2^b. */
export function tableEntries({ seedBits, maxBits }: Pick<BitPlaneWeight, 'seedBits' | 'maxBits'>): number {
  return 2 ** (maxBits + 1) - 2 ** seedBits
}

/** Where the table of `bits` bits begins among them, fewest bits first. */
export function tableOffset({ seedBits }: Pick<BitPlaneWeight, 'seedBits'>, bits: number): number {
  return 2 ** bits - 2 ** seedBits
}

/** Throws unless planes and tables have the sizes that the shape and bit counts say. */
export function checkBitPlaneWeight(name: string, w: BitPlaneWeight): void {
  const { rows, cols, seedBits, maxBits } = w
  if (!(seedBits >= 1 && seedBits <= maxBits && maxBits <= MAX_BITS)) {
    throw new InvalidArgumentError(name, `1 <= seedBits <= maxBits <= ${MAX_BITS}`, `seedBits ${seedBits}, maxBits ${maxBits}`)
  }
  const words = maxBits * rows * wordsPerRow(cols)
  if (w.planes.length !== words) throw new InvalidArgumentError(`${name}.planes`, `${words} words`, w.planes.length)
  if (w.luts.length !== maxBits - seedBits + 1) {
    throw new InvalidArgumentError(`${name}.luts`, `${maxBits - seedBits + 1} tables`, w.luts.length)
  }
  w.luts.forEach((lut, i) => {
    const entries = rows * 2 ** (seedBits + i)
    if (lut.length !== entries) throw new InvalidArgumentError(`${name}.lut${seedBits + i}`, `${entries} entries`, lut.length)
  })
}
