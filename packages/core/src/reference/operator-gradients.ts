import type { Activation } from '../program/operators.js'
import { activationDerivatives, activations } from './activations.js'
import type { Floats } from './floats.js'

/** dx of rmsNorm over runs of D = weight.length (`RmsNormGradient`). */
export function rmsNormGradient(x: Floats, dy: Floats, weight: Float32Array, eps: number, out: Floats): void {
  const D = weight.length
  for (let start = 0; start < x.length; start += D) {
    let squares = 0
    let dot = 0
    for (let i = 0; i < D; i++) {
      squares += x[start + i] * x[start + i]
      dot += weight[i] * dy[start + i] * x[start + i]
    }
    const scale = 1 / Math.sqrt(squares / D + eps)
    const along = (scale ** 3 * dot) / D
    for (let i = 0; i < D; i++) out[start + i] = scale * weight[i] * dy[start + i] - along * x[start + i]
  }
}

/** dGate and dUp of activation(gate) · up. */
export function gateGradient(g: Floats, up: Floats, dy: Floats, activation: Activation, dGate: Floats, dUp: Floats): void {
  const f = activations[activation]
  const derivative = activationDerivatives[activation]
  for (let i = 0; i < dy.length; i++) {
    dGate[i] = dy[i] * up[i] * derivative(g[i])
    dUp[i] = dy[i] * f(g[i])
  }
}

/** Joins the rows of `xs`. */
export function concat(xs: readonly Floats[], rows: number, out: Floats): void {
  const width = out.length / rows
  for (let t = 0; t < rows; t++) {
    let to = t * width
    for (const x of xs) {
      const part = x.length / rows
      out.set(x.subarray(t * part, (t + 1) * part), to)
      to += part
    }
  }
}

/** out[rows[r]] += x[r]; out is zero before. */
export function put(x: Floats, rows: Uint32Array, width: number, out: Floats): void {
  rows.forEach((row, r) => {
    for (let i = 0; i < width; i++) out[row * width + i] += x[r * width + i]
  })
}

/** out[r] = scale · (softmax(logits[r]) − onehot(targets[r])). */
export function crossEntropyGradient(logits: Floats, targets: Uint32Array, scale: number, out: Floats): void {
  const V = logits.length / targets.length
  targets.forEach((target, r) => {
    const end = (r + 1) * V
    let max = Number.NEGATIVE_INFINITY
    for (let v = r * V; v < end; v++) max = Math.max(max, logits[v])
    let sum = 0
    for (let v = r * V; v < end; v++) sum += Math.exp(logits[v] - max)
    for (let v = r * V; v < end; v++) {
      const probability = Math.exp(logits[v] - max) / sum
      out[v] = scale * (v === r * V + target ? probability - 1 : probability)
    }
  })
}
