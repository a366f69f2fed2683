import type { AttentionGradient } from '../program/gradient-operators.js'
import type { Floats } from './floats.js'

/** Gradients of T tokens' attention over one another (`AttentionGradient`); q, dy, dq [T, H·d], k, v, dk, dv [T, Hkv·d]. */
export function attentionGradient(
  op: AttentionGradient,
  q: Floats,
  k: Floats,
  v: Floats,
  dy: Floats,
  tokens: number,
  dq: Floats,
  dk: Floats,
  dv: Floats,
): void {
  const { heads, kvHeads, headDim: d } = op
  const kvWidth = kvHeads * d
  const weights = new Float64Array(tokens)
  const dWeights = new Float64Array(tokens)
  const dQuery = new Float64Array(d)
  // Tokens and query heads add to the same keys and values: summed in f64, rounded once.
  const dKeys = new Float64Array(dk.length)
  const dValues = new Float64Array(dv.length)
  for (let t = 0; t < tokens; t++) {
    const first = op.window === undefined ? 0 : Math.max(0, t - op.window + 1)
    for (let h = 0; h < heads; h++) {
      const at = (t * heads + h) * d
      const kvAt = Math.floor((h * kvHeads) / heads) * d
      softmax(op.scale, q, at, k, kvAt, kvWidth, d, first, t, weights)
      let mean = 0
      for (let p = first; p <= t; p++) {
        const from = p * kvWidth + kvAt
        let dot = 0
        for (let i = 0; i < d; i++) {
          dot += dy[at + i] * v[from + i]
          dValues[from + i] += weights[p] * dy[at + i]
        }
        dWeights[p] = dot
        mean += weights[p] * dot
      }
      dQuery.fill(0)
      for (let p = first; p <= t; p++) {
        const from = p * kvWidth + kvAt
        const dScore = weights[p] * (dWeights[p] - mean) * op.scale
        for (let i = 0; i < d; i++) {
          dQuery[i] += dScore * k[from + i]
          dKeys[from + i] += dScore * q[at + i]
        }
      }
      dq.set(dQuery, at)
    }
  }
  dk.set(dKeys)
  dv.set(dValues)
}

/** weights[p] = softmax over p = first … last of scale · ⟨q, k_p⟩. */
function softmax(
  scale: number,
  q: Floats,
  at: number,
  k: Floats,
  kvAt: number,
  kvWidth: number,
  d: number,
  first: number,
  last: number,
  weights: Float64Array,
): void {
  let max = Number.NEGATIVE_INFINITY
  for (let p = first; p <= last; p++) {
    let dot = 0
    for (let i = 0; i < d; i++) dot += q[at + i] * k[p * kvWidth + kvAt + i]
    weights[p] = dot * scale
    max = Math.max(max, weights[p])
  }
  let total = 0
  for (let p = first; p <= last; p++) {
    weights[p] = Math.exp(weights[p] - max)
    total += weights[p]
  }
  for (let p = first; p <= last; p++) weights[p] /= total
}
