import { createHash } from 'node:crypto'
import { packPlanes, unpackPlanes } from '@dpllm/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromAnyPrecision, toAnyPrecision } from './permutation.js'

const sha256 = (words: Int32Array) => createHash('sha256').update(words).digest('hex')

/** Codes u8 [rows, cols]. */
const codes = (rows: number, cols: number, of: (k: number, n: number) => number) =>
  Uint8Array.from({ length: rows * cols }, (_, i) => of(i % cols, Math.floor(i / cols)))
const packed = (rows: number, cols: number, of: (k: number, n: number) => number) =>
  toAnyPrecision(packPlanes(codes(rows, cols, of), rows, cols, 8), cols / 32)

// SHA-256 of the words that the original packer makes (4 rows of 32 columns, 8 bits).
test.each<[name: string, of: (k: number) => number, hash: string]>([
  ['0', () => 0, '38723a2e5e8a17aa7950dc008209944e898f69a7bd10a23c839d341e935fd5ca'],
  ['255', () => 255, 'e9175db65a9789096ca9cb5524d3abc2107df03e3c9ba3af1aca628f9c5d3bd2'],
  [
    '1 in three columns',
    (k) => ([0, 1, 31].includes(k) ? 1 : 0),
    '5bbd124bb7a8d14b52ab941119dab7af0bc4b5c8da168d5de56f5d3b28b8c6d3',
  ],
  ['1 in even columns', (k) => (k + 1) % 2, '7cf87f2f95dda7d35c75e2b031267703c7b169c93a4df2f29faa6e4aa75d8a16'],
  ['16', () => 16, '60b8df3bc1cdfda128c6aa5a9300682f972b5aac5ab1b0339b952331febc4ea3'],
  ['128 and 64', (k) => (k % 2 === 0 ? 128 : 64), 'ed5fc93d086b4717f5537866a9428ab8757d1bee0ddf9635ef0d137dfbf38e77'],
])('codes of %s are packed as the original packer does', (_, of, hash) => {
  expect(sha256(packed(4, 32, of))).toBe(hash)
})

test.each<[cols: number, words: [number, number], hash: string]>([
  [64, [0x0e38e38f, 0x1c70c71e], 'a8d381e9ff6be968b395c5969a49fa766cc42790381b82ee11ca4d42d06940cc'],
  [1024, [0x0e3c70e3, 0x1c78e1c7], 'f934263ecaa258ae0546b64ff6e8073abdbe2d88a43a82f594ae869cfca7ab4b'],
  [1056, [0x0e3c70e3, 0x1c78e1c7], '5ea26ca837e52b746541ae802cf6086566aebc950b79d5848ed7843429ca4e38'],
  [4096, [0x0e3c70e3, 0x1c78e1c7], 'cb7f41ef44fceedec821491fa0503419d5506c738163c68e5e55f963f9bb2652'],
  [11008, [0x0e3c70e3, 0x1c78e1c7], '744d134716cd2d7df1551566153be0320e6da71c7881c57cf420c5ecd5a541b4'],
])('blocks of %d columns are packed as the original packer does', (cols, words, hash) => {
  const found = packed(2, cols, (k, n) => (37 * k + 101 * n + 7 * Math.floor(k / 32)) & 255)
  expect([...found.subarray(0, 2)]).toEqual(words)
  expect(sha256(found)).toBe(hash)
})

const widths = [32, 64, 96, 896, 1024, 1056, 2080, 2560, 4096, 11008, 14336]

test.each(widths)('%d columns: planes come back, and the first b of them are the b-bit codes', (cols) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 8 }), fc.integer(), (rows, bits, seed) => {
      const all = codes(rows, cols, (k, n) => (Math.imul(k + n * cols + 1, seed | 1) >>> 20) & (2 ** bits - 1))
      const planes = packPlanes(all, rows, cols, bits)
      const theirs = toAnyPrecision(planes, cols / 32)
      const back = fromAnyPrecision(theirs, cols / 32)
      expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(planes.buffer))).toBe(0)
      // Planes are rows like any other: the first ones alone are permuted alike.
      const b = Math.ceil(bits / 2)
      const shorter = fromAnyPrecision(theirs.slice(0, b * rows * (cols / 32)), cols / 32)
      const found = unpackPlanes(shorter, rows, cols, b)
      expect(found.every((code, i) => code === all[i] >> (bits - b))).toBe(true)
    }),
    { numRuns: 10 },
  )
})

test('a bit lies where the format says', () => {
  // Written from the definition of the format, column by column: word t of a block of W, byte j from the top, bit b.
  for (const cols of [32, 96, 1024, 1056, 2080]) {
    for (const k of [0, 1, 7, 8, 31, 33, 255, 256, cols - 1].filter((column) => column < cols)) {
      const k0 = Math.floor(k / 1024) * 1024
      const W = Math.min(32, (cols - k0) / 32)
      const j = Math.floor((k - k0) / (8 * W))
      const t = Math.floor(((k - k0) % (8 * W)) / 8)
      const expected = new Int32Array(cols / 32)
      expected[k0 / 32 + t] = 1 << (8 * (3 - j) + 7 - (k % 8))
      const planes = packPlanes(
        codes(1, cols, (column) => (column === k ? 1 : 0)),
        1,
        cols,
        1,
      )
      expect([...toAnyPrecision(planes, cols / 32)]).toEqual([...expected])
    }
  }
})
