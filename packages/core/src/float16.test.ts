import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, toFloat16, toFloat32 } from './float16.js'

const all = Array.from({ length: 65536 }, (_, bits) => bits)
const isNan16 = (bits: number) => (bits & 0x7fff) > 0x7c00
const isNanB16 = (bits: number) => (bits & 0x7fff) > 0x7f80

test('every half survives f32 and back', () => {
  expect(all.filter((bits) => !isNan16(bits) && f32ToF16(f16ToF32(bits)) !== bits)).toEqual([])
})

test('every bfloat16 survives f32 and back', () => {
  expect(all.filter((bits) => !isNanB16(bits) && f32ToBf16(bf16ToF32(bits)) !== bits)).toEqual([])
})

test('every NaN stays one, quiet and with its sign', () => {
  for (const bits of all.filter(isNan16)) {
    expect(f16ToF32(bits)).toBeNaN()
    expect(isNan16(f32ToF16(f16ToF32(bits)))).toBe(true)
  }
  expect(all.filter(isNanB16).every((bits) => Number.isNaN(bf16ToF32(bits)) && isNanB16(f32ToBf16(bf16ToF32(bits))))).toBe(true)
  expect(f32ToF16(Number.NaN) & 0x7fff).toBe(0x7e00)
  // A NaN whose payload lies only in the bits that are dropped must not become infinity.
  const [payload] = new Float32Array(Uint32Array.of(0x7f800001).buffer)
  expect(isNanB16(f32ToBf16(payload))).toBe(true)
  expect(isNan16(f32ToF16(payload))).toBe(true)
})

test.each<[value: number, bits: number]>([
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [-(2 ** -24), 0x8001],
  [1023 * 2 ** -24, 0x03ff],
  [Number.POSITIVE_INFINITY, 0x7c00],
  [Number.NEGATIVE_INFINITY, 0xfc00],
])('half %d is %i', (value, bits) => {
  expect(f16ToF32(bits)).toBe(value)
  expect(f32ToF16(value)).toBe(bits)
})

const ulp = 2 ** -10
test.each<[what: string, value: number, bits: number]>([
  ['a tie goes down to even', 1 + ulp / 2, 0x3c00],
  ['a tie goes up to even', 1 + 1.5 * ulp, 0x3c02],
  ['just above a tie', 1 + ulp / 2 + 2 ** -23, 0x3c01],
  ['just below a tie', 1 + 1.5 * ulp - 2 ** -23, 0x3c01],
  ['a tie into the next binade', 2 - ulp / 2, 0x4000],
  ['the largest that does not overflow', 65519.996, 0x7bff],
  ['the smallest that overflows', 65520, 0x7c00],
  ['far above', 1e30, 0x7c00],
  ['far below', -1e30, 0xfc00],
  ['half the smallest subnormal', 2 ** -25, 0x0000],
  ['above half the smallest subnormal', 2 ** -25 * (1 + 2 ** -23), 0x0001],
  ['a subnormal tie up to even', 1.5 * 2 ** -24, 0x0002],
  ['a subnormal tie down to even', 2.5 * 2 ** -24, 0x0002],
  ['a subnormal that becomes normal', 1023.5 * 2 ** -24, 0x0400],
  ['an f32 subnormal', 1e-40, 0x0000],
  ['its negative', -1e-40, 0x8000],
])('half rounding: %s', (_, value, bits) => {
  expect(f32ToF16(value)).toBe(bits)
})

/** The nearest of all finite halves, found by looking: ties to the even pattern. */
test('half rounding takes the nearest of all halves', () => {
  const finite = all.filter((bits) => bits < 0x7c00)
  const f32 = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-65519), max: Math.fround(65519) })
  fc.assert(
    fc.property(
      fc.oneof(
        f32,
        f32.map((x) => Math.fround(x * 2 ** -20)),
        f32.map((x) => Math.fround(x * 2 ** -12)),
      ),
      (value) => {
        const magnitude = Math.abs(value)
        let low = 0
        for (let step = 2 ** 14; step >= 1; step /= 2)
          if (low + step < finite.length && f16ToF32(low + step) <= magnitude) low += step
        const [below, above] = [magnitude - f16ToF32(low), low + 1 < finite.length ? f16ToF32(low + 1) - magnitude : Infinity]
        const nearest = below < above || (below === above && low % 2 === 0) ? low : low + 1
        expect(f32ToF16(value)).toBe((Object.is(value, -0) || value < 0 ? 0x8000 : 0) | nearest)
      },
    ),
    { numRuns: 2000 },
  )
})

test.each<[what: string, value: number, bits: number]>([
  ['one', 1, 0x3f80],
  ['minus zero', -0, 0x8000],
  ['a tie goes down to even', 1 + 2 ** -8, 0x3f80],
  ['a tie goes up to even', 1 + 3 * 2 ** -8, 0x3f82],
  ['just above a tie', 1 + 2 ** -8 + 2 ** -23, 0x3f81],
  ['the largest that does not overflow', 2 ** 127 * (2 - 2 ** -8) - 2 ** 104, 0x7f7f],
  ['the smallest that overflows', 2 ** 127 * (2 - 2 ** -8), 0x7f80],
  ['the largest f32', 2 ** 127 * (2 - 2 ** -23), 0x7f80],
  ['infinity', Number.NEGATIVE_INFINITY, 0xff80],
  ['a subnormal', 2 ** -133, 0x0001],
  ['half the smallest subnormal', 2 ** -134, 0x0000],
])('bfloat16 rounding: %s', (_, value, bits) => {
  expect(f32ToBf16(value)).toBe(bits)
})

test('tensors are widened and narrowed element by element', () => {
  const f32 = { dtype: 'f32', shape: [2], data: Float32Array.of(1, 2) } as const
  expect(toFloat32(f32)).toBe(f32.data)
  const bits = Uint16Array.from(all)
  const halves = toFloat32({ dtype: 'f16', shape: [65536], data: bits })
  const brains = toFloat32({ dtype: 'bf16', shape: [65536], data: bits })
  expect(all.every((i) => Object.is(halves[i], f16ToF32(i)) && Object.is(brains[i], bf16ToF32(i)))).toBe(true)
  expect(toFloat16(Float32Array.of(1, 65520, 2 ** -24))).toEqual(Uint16Array.of(0x3c00, 0x7c00, 1))
  expect(toFloat16([])).toEqual(new Uint16Array())
})
