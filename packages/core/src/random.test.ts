import { expect, test } from 'vitest'
import { createRandom } from './random.js'

const take = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next)

// Frozen: programs and files that depend on a seed rely on these.
test.each<[seed: number, values: number[]]>([
  [0, [3809008728, 1133695204, 53579671, 2891528803, 139681546, 2203266335]],
  [1, [2442144158, 3238099751, 3819917871, 2104621829, 2021136066, 4223536128]],
  [42, [2837322924, 544945897, 479756282, 3500138142, 339756180, 113173290]],
  [0xffffffff, [835879718, 1921286648, 2356205009, 1885780724, 980451116, 1053911718]],
])('the stream of seed %i', (seed, values) => {
  expect(take(values.length, createRandom(seed).uint32)).toEqual(values)
  expect(take(values.length, createRandom(seed).uniform)).toEqual(values.map((v) => v / 2 ** 32))
})

test('the normals of seed 7', () => {
  const values = [-1.6997666597814771, -0.1308994614518781, 0.5907177150778119, 1.1193292094667526, -1.0527407152902781]
  const random = createRandom(7)
  // log, cos and sin may differ in the last bit between engines.
  for (const value of values) expect(random.normal()).toBeCloseTo(value, 13)
})

/** xoshiro128** as its authors write it, in exact integers. */
function* xoshiro128StarStar(state: bigint[]): Generator<number> {
  const s = [...state]
  const u32 = (x: bigint) => BigInt.asUintN(32, x)
  const rotl = (x: bigint, k: bigint) => u32((x << k) | (x >> (32n - k)))
  for (;;) {
    yield Number(u32(rotl(u32(s[1] * 5n), 7n) * 9n))
    const t = u32(s[1] << 9n)
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotl(s[3], 11n)
  }
}

/** The state that a seed fills: MurmurHash3's finaliser over steps of the golden ratio. */
function stateOf(seed: number): bigint[] {
  const u32 = (x: bigint) => BigInt.asUintN(32, x)
  return [1n, 2n, 3n, 4n].map((i) => {
    let z = u32(BigInt(seed) + i * 0x9e3779b9n)
    z = u32((z ^ (z >> 16n)) * 0x85ebca6bn)
    z = u32((z ^ (z >> 13n)) * 0xc2b2ae35n)
    return z ^ (z >> 16n)
  })
}

test.each([0, 1, 12345, 0x80000000, 0xffffffff])('seed %i gives the numbers of xoshiro128**', (seed) => {
  const exact = xoshiro128StarStar(stateOf(seed))
  const { uint32 } = createRandom(seed)
  for (let i = 0; i < 1000; i++) expect(uint32()).toBe(exact.next().value)
})

test('streams do not share state', () => {
  const [a, b] = [createRandom(3), createRandom(3)]
  const alone = take(10, createRandom(3).normal)
  const together = take(10, () => [a.normal(), b.normal()])
  expect(together).toEqual(alone.map((x) => [x, x]))
})

/** Mean, variance and fourth moment about the mean. */
function moments(values: number[]): [mean: number, variance: number, kurtosis: number] {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  return [mean, variance, values.reduce((sum, x) => sum + (x - mean) ** 4, 0) / values.length / variance ** 2]
}

// The bounds are 5 standard errors of each moment for 2^16 values.
test('uniform numbers are uniform in [0, 1)', () => {
  const values = take(2 ** 16, createRandom(11).uniform)
  const [mean, variance, kurtosis] = moments(values)
  expect(values.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 32))).toBe(true)
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.0057)
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0015)
  expect(Math.abs(kurtosis - 9 / 5)).toBeLessThan(0.02)
})

test('normal numbers are standard normal and do not follow each other', () => {
  const values = take(2 ** 16, createRandom(11).normal)
  const [mean, variance, kurtosis] = moments(values)
  expect(Math.abs(mean)).toBeLessThan(0.02)
  expect(Math.abs(variance - 1)).toBeLessThan(0.028)
  expect(Math.abs(kurtosis - 3)).toBeLessThan(0.1)
  const products = values.slice(1).map((x, i) => x * values[i])
  expect(Math.abs(moments(products)[0])).toBeLessThan(0.02)
  expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(3.5)
})
