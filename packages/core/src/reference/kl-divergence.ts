import type { Floats } from './floats.js'

/** log Σ_v exp(x[v]) over [begin, end). */
function logSumExp(x: Floats, begin: number, end: number): number {
  let max = Number.NEGATIVE_INFINITY
  for (let v = begin; v < end; v++) max = Math.max(max, x[v])
  let sum = 0
  for (let v = begin; v < end; v++) sum += Math.exp(x[v] - max)
  return max + Math.log(sum)
}

/** The klDivergence operator for all rows of logits and teacher [R, V] → out [R]. */
export function klDivergence(logits: Floats, teacher: Floats, out: Floats): void {
  const V = logits.length / out.length
  for (let r = 0; r < out.length; r++) {
    const [begin, end] = [r * V, (r + 1) * V]
    const [logQ, logP] = [logSumExp(logits, begin, end), logSumExp(teacher, begin, end)]
    let sum = 0
    for (let v = begin; v < end; v++) sum += Math.exp(teacher[v] - logP) * (teacher[v] - logP - (logits[v] - logQ))
    out[r] = sum
  }
}

/** out[r] = scale · (softmax(logits[r]) − softmax(teacher[r])) for `rows` rows. */
export function klDivergenceGradient(logits: Floats, teacher: Floats, rows: number, scale: number, out: Floats): void {
  const V = logits.length / rows
  for (let r = 0; r < rows; r++) {
    const [begin, end] = [r * V, (r + 1) * V]
    const [logQ, logP] = [logSumExp(logits, begin, end), logSumExp(teacher, begin, end)]
    for (let v = begin; v < end; v++) out[v] = scale * (Math.exp(logits[v] - logQ) - Math.exp(teacher[v] - logP))
  }
}
