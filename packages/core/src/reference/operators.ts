import type { Activation } from '../program/operators.js'
import { activations } from './activations.js'
import type { Floats } from './floats.js'

/** out[t] = table[tokens[t]]; table f32 [V, D]. */
export function embed(tokens: Uint32Array, table: Float32Array, out: Floats): void {
  const D = out.length / tokens.length
  tokens.forEach((token, t) => {
    out.set(table.subarray(token * D, (token + 1) * D), t * D)
  })
}

/** Root mean square norm over runs of D = weight.length (Zhang and Sennrich 2019). */
export function rmsNorm(x: Floats, weight: Float32Array, eps: number, out: Floats): void {
  const D = weight.length
  for (let start = 0; start < x.length; start += D) {
    let sum = 0
    for (let i = 0; i < D; i++) sum += x[start + i] * x[start + i]
    const scale = 1 / Math.sqrt(sum / D + eps)
    for (let i = 0; i < D; i++) out[start + i] = x[start + i] * scale * weight[i]
  }
}

/** Rotary position embedding (Su et al. 2021), split halves; token t is at position + t; `transposed` turns back. */
export function rope(
  x: Floats,
  frequencies: Float32Array,
  headDim: number,
  scale: number,
  position: number,
  tokens: number,
  out: Floats,
  transposed = false,
): void {
  const width = x.length / tokens
  const F = frequencies.length
  out.set(x)
  for (let t = 0; t < tokens; t++) {
    for (let i = 0; i < F; i++) {
      const angle = (position + t) * frequencies[i]
      const cos = Math.cos(angle) * scale
      const sin = Math.sin(transposed ? -angle : angle) * scale
      for (let head = t * width; head < (t + 1) * width; head += headDim) {
        const a = x[head + i]
        const b = x[head + i + F]
        out[head + i] = a * cos - b * sin
        out[head + i + F] = a * sin + b * cos
      }
    }
  }
}

/** out = activation(gate) · up. */
export function gate(g: Floats, up: Floats, activation: Activation, out: Floats): void {
  const f = activations[activation]
  for (let i = 0; i < out.length; i++) out[i] = f(g[i]) * up[i]
}

export function add(a: Floats, b: Floats, out: Floats): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i]
}

/** Cuts every row of x into consecutive parts. */
export function split(x: Floats, rows: number, outs: readonly Floats[]): void {
  const width = x.length / rows
  for (let t = 0; t < rows; t++) {
    let from = t * width
    for (const out of outs) {
      const part = out.length / rows
      out.set(x.subarray(from, from + part), t * part)
      from += part
    }
  }
}

/** out[r] = x[rows[r]]. */
export function take(x: Floats, rows: Uint32Array, width: number, out: Floats): void {
  rows.forEach((row, r) => {
    out.set(x.subarray(row * width, (row + 1) * width), r * width)
  })
}

/** out[r] = −log softmax(logits[r])[targets[r]], in nats. */
export function crossEntropy(logits: Floats, targets: Uint32Array, out: Floats): void {
  const V = logits.length / targets.length
  targets.forEach((target, r) => {
    let max = Number.NEGATIVE_INFINITY
    for (let v = r * V; v < (r + 1) * V; v++) max = Math.max(max, logits[v])
    let sum = 0
    for (let v = r * V; v < (r + 1) * V; v++) sum += Math.exp(logits[v] - max)
    out[r] = Math.log(sum) + max - logits[r * V + target]
  })
}
