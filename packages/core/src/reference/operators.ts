import type { Activation } from '../program/operators.js'

/** out[t] = table[tokens[t]]; table f32 [V, D]. */
export function embed(tokens: Uint32Array, table: Float32Array, out: Float32Array): void {
  const D = out.length / tokens.length
  tokens.forEach((token, t) => {
    out.set(table.subarray(token * D, (token + 1) * D), t * D)
  })
}

/** Root mean square norm over runs of D = weight.length (Zhang and Sennrich 2019). */
export function rmsNorm(x: Float32Array, weight: Float32Array, eps: number, out: Float32Array): void {
  const D = weight.length
  for (let start = 0; start < x.length; start += D) {
    let sum = 0
    for (let i = 0; i < D; i++) sum += x[start + i] * x[start + i]
    const scale = 1 / Math.sqrt(sum / D + eps)
    for (let i = 0; i < D; i++) out[start + i] = x[start + i] * scale * weight[i]
  }
}

/** Rotary position embedding (Su et al. 2021), split halves; token t is at position + t. */
export function rope(
  x: Float32Array,
  frequencies: Float32Array,
  headDim: number,
  scale: number,
  position: number,
  tokens: number,
  out: Float32Array,
): void {
  const width = x.length / tokens
  const F = frequencies.length
  out.set(x)
  for (let t = 0; t < tokens; t++) {
    for (let i = 0; i < F; i++) {
      const angle = (position + t) * frequencies[i]
      const cos = Math.cos(angle) * scale
      const sin = Math.sin(angle) * scale
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
export function gate(g: Float32Array, up: Float32Array, activation: Activation, out: Float32Array): void {
  const f = activations[activation]
  for (let i = 0; i < out.length; i++) out[i] = f(g[i]) * up[i]
}

const activations: Record<Activation, (x: number) => number> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
}

/** Error function by its Maclaurin series (|x| < 3) or continued fraction; relative error below 1e-12. */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 3) {
    let term = a
    let sum = a
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-a * a) / n
      sum += term / (2 * n + 1)
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction)
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)))
}

export function add(a: Float32Array, b: Float32Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i] + b[i]
}

/** Cuts every row of x into consecutive parts. */
export function split(x: Float32Array, rows: number, outs: readonly Float32Array[]): void {
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
export function take(x: Float32Array, rows: Uint32Array, width: number, out: Float32Array): void {
  rows.forEach((row, r) => {
    out.set(x.subarray(row * width, (row + 1) * width), r * width)
  })
}

/** out[r] = −log softmax(logits[r])[targets[r]], in nats. */
export function crossEntropy(logits: Float32Array, targets: Uint32Array, out: Float32Array): void {
  const V = logits.length / targets.length
  targets.forEach((target, r) => {
    let max = Number.NEGATIVE_INFINITY
    for (let v = r * V; v < (r + 1) * V; v++) max = Math.max(max, logits[v])
    let sum = 0
    for (let v = r * V; v < (r + 1) * V; v++) sum += Math.exp(logits[v] - max)
    out[r] = Math.log(sum) + max - logits[r * V + target]
  })
}
