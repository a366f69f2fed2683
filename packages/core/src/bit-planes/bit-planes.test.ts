import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../errors.js'
import { f16ToF32, f32ToF16 } from '../float16.js'
import { dequantize, truncateBits } from './dequantize.js'
import { packPlanes, unpackPlanes } from './pack.js'
import { type BitPlaneWeight, checkBitPlaneWeight, lutOf, MAX_BITS, MIN_BITS, wordsPerRow } from './weight.js'

/** Codes u8 [rows, cols] of `bits` bits; columns around every multiple of 32 up to 130. */
const coded = fc
  .record({
    rows: fc.integer({ min: 1, max: 4 }),
    cols: fc.integer({ min: 1, max: 130 }),
    bits: fc.integer({ min: 1, max: MAX_BITS }),
  })
  .chain((shape) =>
    fc
      .uint8Array({ minLength: shape.rows * shape.cols, maxLength: shape.rows * shape.cols })
      .map((bytes) => ({ ...shape, codes: bytes.map((byte) => byte & (2 ** shape.bits - 1)) })),
  )

/** A weight whose every centroid tells its row, bit count and code. */
function weightOf(codes: Uint8Array, rows: number, cols: number, maxBits = MAX_BITS, seedBits = MIN_BITS): BitPlaneWeight {
  const luts = Array.from({ length: maxBits - seedBits + 1 }, (_, i) => {
    const bits = seedBits + i
    return Uint16Array.from({ length: rows << bits }, (_, j) =>
      f32ToF16((j >> bits) + (j & ((1 << bits) - 1)) / 256 + bits / 2048),
    )
  })
  return { kind: 'bitPlanes', rows, cols, seedBits, maxBits, planes: packPlanes(codes, rows, cols, maxBits), luts }
}

const someCodes = (rows: number, cols: number) => Uint8Array.from({ length: rows * cols }, (_, i) => (i * 151 + 7) & 255)

describe('planes', () => {
  test('have a word for 32 columns or a part of them', () => {
    expect([1, 31, 32, 33, 64, 65, 172].map(wordsPerRow)).toEqual([1, 1, 1, 2, 2, 3, 6])
  })

  test('give the codes back', () => {
    fc.assert(
      fc.property(coded, ({ codes, rows, cols, bits }) => {
        const planes = packPlanes(codes, rows, cols, bits)
        expect(planes.length).toBe(bits * rows * wordsPerRow(cols))
        expect(unpackPlanes(planes, rows, cols, bits)).toEqual(codes)
      }),
    )
  })

  test('give shorter codes from the first planes: code_b = code_max >> (max − b)', () => {
    fc.assert(
      fc.property(coded, ({ codes, rows, cols, bits }) => {
        const planes = packPlanes(codes, rows, cols, bits)
        for (let b = 1; b <= bits; b++) {
          const shorter = codes.map((code) => code >> (bits - b))
          expect(unpackPlanes(planes, rows, cols, b)).toEqual(shorter)
          expect(unpackPlanes(planes.subarray(0, b * rows * wordsPerRow(cols)), rows, cols, b)).toEqual(shorter)
          expect(packPlanes(shorter, rows, cols, b)).toEqual(planes.subarray(0, b * rows * wordsPerRow(cols)))
        }
      }),
    )
  })

  test('lie as the format says: most significant first, bit i of word w is column 32w + i, padding 0', () => {
    fc.assert(
      fc.property(coded, ({ codes, rows, cols, bits }) => {
        const planes = packPlanes(codes, rows, cols, bits)
        const words = wordsPerRow(cols)
        for (let plane = 0; plane < bits; plane++) {
          for (let row = 0; row < rows; row++) {
            for (let col = 0; col < 32 * words; col++) {
              const bit = Math.floor(planes[(plane * rows + row) * words + Math.floor(col / 32)] / 2 ** (col % 32)) % 2
              const code = col < cols ? codes[row * cols + col] : 0
              if (bit !== Math.floor(code / 2 ** (bits - 1 - plane)) % 2) expect.fail(`plane ${plane}, row ${row}, column ${col}`)
            }
          }
        }
      }),
    )
  })

  test('of one small matrix', () => {
    // One row of 33 columns: 0b101, then 0b010 …, and 0b111 in the second word.
    const codes = Uint8Array.from({ length: 33 }, (_, i) => (i === 0 ? 0b101 : i === 32 ? 0b111 : 0b010))
    expect([...packPlanes(codes, 1, 33, 3)]).toEqual([0x00000001, 1, 0xfffffffe, 1, 0x00000001, 1])
  })
})

describe('a weight', () => {
  const [rows, cols] = [3, 45]
  const codes = someCodes(rows, cols)
  const weight = weightOf(codes, rows, cols)

  test('is read at every bit count from its own table', () => {
    for (let bits = MIN_BITS; bits <= MAX_BITS; bits++) {
      const values = dequantize(weight, bits)
      expect(values.length).toBe(rows * cols)
      for (let i = 0; i < values.length; i++) {
        const row = Math.floor(i / cols)
        expect(values[i]).toBe(f16ToF32(f32ToF16(row + (codes[i] >> (MAX_BITS - bits)) / 256 + bits / 2048)))
      }
    }
  })

  test('truncated reads as the whole one does, without a copy', () => {
    for (let maxBits = MIN_BITS; maxBits <= MAX_BITS; maxBits++) {
      const view = truncateBits(weight, maxBits)
      checkBitPlaneWeight('view', view)
      expect(view).toMatchObject({ kind: 'bitPlanes', rows, cols, seedBits: MIN_BITS, maxBits })
      expect(view.planes.buffer).toBe(weight.planes.buffer)
      expect(view.planes.length).toBe(maxBits * rows * wordsPerRow(cols))
      for (let bits = MIN_BITS; bits <= maxBits; bits++) {
        expect(lutOf(view, bits)).toBe(lutOf(weight, bits))
        expect(dequantize(view, bits)).toEqual(dequantize(weight, bits))
      }
      expect(() => dequantize(view, maxBits + 1)).toThrow(InvalidArgumentError)
      expect(truncateBits(view, MIN_BITS)).toEqual(truncateBits(weight, MIN_BITS))
    }
  })

  test.each([2, 9, 3.5, -1, Number.NaN])('cannot be read at %d bits', (bits) => {
    expect(() => dequantize(weight, bits)).toThrow(/bits: expected a bit count from 3 to 8/)
    expect(() => truncateBits(weight, bits)).toThrow(InvalidArgumentError)
  })

  test('is not read above maxBits, even where a table is there', () => {
    const view = { ...truncateBits(weight, 5), luts: weight.luts }
    expect(() => lutOf(view, 6)).toThrow(InvalidArgumentError)
  })

  test('with one bit count has no other', () => {
    const fixed = weightOf(
      codes.map((code) => code >> 4),
      rows,
      cols,
      4,
      4,
    )
    checkBitPlaneWeight('fixed', fixed)
    expect(dequantize(fixed, 4).length).toBe(rows * cols)
    expect(() => dequantize(fixed, 3)).toThrow(InvalidArgumentError)
    expect(() => dequantize(fixed, 5)).toThrow(InvalidArgumentError)
  })

  test.each<[what: string, change: Partial<BitPlaneWeight>, message: RegExp]>([
    ['too few planes', { planes: weight.planes.subarray(1) }, /w\.planes: expected 48 words, found 47/],
    ['planes of another shape', { cols: 65 }, /w\.planes: expected 72 words, found 48/],
    ['a table too few', { luts: weight.luts.slice(1) }, /w\.luts: expected 6 tables, found 5/],
    ['tables in another order', { luts: weight.luts.toReversed() }, /w\.lut3: expected 24 entries, found 768/],
    ['a short table', { luts: weight.luts.with(2, new Uint16Array(95)) }, /w\.lut5: expected 96 entries, found 95/],
    ['more bits than there are', { maxBits: 9 }, /w: expected 1 <= seedBits <= maxBits <= 8/],
    ['a seed above the most bits', { seedBits: 9 }, /w: expected 1 <= seedBits/],
    ['a seed of no bits', { seedBits: 0 }, /w: expected 1 <= seedBits/],
    ['a bit count that is not a number', { maxBits: Number.NaN }, /w: expected 1 <= seedBits/],
  ])('with %s is refused', (_, change, message) => {
    checkBitPlaneWeight('w', weight)
    expect(() => checkBitPlaneWeight('w', { ...weight, ...change })).toThrow(InvalidArgumentError)
    expect(() => checkBitPlaneWeight('w', { ...weight, ...change })).toThrow(message)
  })
})
