import { createRandom } from '@dpllm/core'

/**
 * A stream of standard normal numbers whose bits are the same on every machine, for ever: uniform integers of
 * xoshiro128** (core's `createRandom`), then Leva's ratio of uniforms ("A fast normal random number generator", ACM
 * TOMS 18(4), 1992), which needs nothing but + − × ÷ on them. Box–Muller would need `Math.log`, `Math.cos` and
 * `Math.sin`, whose last bits differ between JavaScript engines.
 * @param seed 32-bit; streams of different seeds are independent
 */
export function createNormals(seed: number): () => number {
  const { uint32 } = createRandom(seed)
  return () => {
    for (;;) {
      // u in (0, 1], v symmetric around 0.
      const u = (uint32() + 1) / 4294967296
      const v = 1.7156 * ((uint32() + 0.5) / 4294967296 - 0.5)
      const x = u - 0.449871
      const y = Math.abs(v) + 0.386595
      const q = x * x + y * (0.196 * y - 0.25472 * x)
      if (q < 0.27597 || (q <= 0.27846 && v * v <= -4 * u * u * logarithm(u))) return v / u
    }
  }
}

/** ln u of u in (0, 1] to some 1e-15, by IEEE operations alone: u = m · 2^−e, ln m = 2 artanh((m − 1) / (m + 1)). */
function logarithm(u: number): number {
  let m = u
  let e = 0
  while (m < 0.7) {
    m *= 2
    e++
  }
  const s = (m - 1) / (m + 1)
  let sum = 0
  for (let i = 23; i >= 1; i -= 2) sum = sum * s * s + 1 / i
  return 2 * s * sum - e * Math.LN2
}
