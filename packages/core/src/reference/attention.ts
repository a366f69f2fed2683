import type { Attention } from '../program/operators.js'
import type { Floats } from './floats.js'

/** Keys and values of one attention, [capacity, kvHeads · headDim] each. */
export interface CacheLayer {
  readonly keys: Floats
  readonly values: Floats
}

/** Writes k and v of T tokens to the cache, then attends (`Attention`); q and out [T, H·d], k and v [T, Hkv·d]. */
export function attention(
  op: Attention,
  q: Floats,
  k: Floats,
  v: Floats,
  cache: CacheLayer,
  position: number,
  tokens: number,
  out: Floats,
): void {
  const { heads, kvHeads, headDim: d } = op
  const kvWidth = kvHeads * d
  cache.keys.set(k, position * kvWidth)
  cache.values.set(v, position * kvWidth)
  const scores = new Float64Array(position + tokens)
  const sums = new Float64Array(d)
  for (let t = 0; t < tokens; t++) {
    const last = position + t
    const first = op.window === undefined ? 0 : Math.max(0, last - op.window + 1)
    for (let h = 0; h < heads; h++) {
      const at = (t * heads + h) * d
      const kvAt = Math.floor((h * kvHeads) / heads) * d
      let max = Number.NEGATIVE_INFINITY
      for (let p = first; p <= last; p++) {
        let dot = 0
        for (let i = 0; i < d; i++) dot += q[at + i] * cache.keys[p * kvWidth + kvAt + i]
        scores[p] = dot * op.scale
        max = Math.max(max, scores[p])
      }
      let total = 0
      sums.fill(0)
      for (let p = first; p <= last; p++) {
        const weight = Math.exp(scores[p] - max)
        total += weight
        for (let i = 0; i < d; i++) sums[i] += weight * cache.values[p * kvWidth + kvAt + i]
      }
      for (let i = 0; i < d; i++) out[at + i] = sums[i] / total
    }
  }
}
