import type { Operator } from '../src/program/operators.js'
import type { Program, ValueInfo } from '../src/program/program.js'
import type { Weight } from '../src/program/weights.js'
import { createRandom } from '../src/random.js'
import { randomTensor } from '../src/testing/index.js'

export const VOCABULARY = 11
const [D, F] = [6, 8]

/** Two blocks of a norm, a gated MLP and a residual; a tied head of the rows that go on. */
export function gradientModel(): { program: Program; weights: Map<string, Weight> } {
  const random = createRandom(3)
  const values: Record<string, ValueInfo> = {
    tokens: { dtype: 'u32', shape: ['T'] },
    rows: { dtype: 'u32', shape: ['R'] },
    targets: { dtype: 'u32', shape: ['R'] },
    last: { dtype: 'f32', shape: ['R', D] },
    logits: { dtype: 'f32', shape: ['R', VOCABULARY] },
    loss: { dtype: 'f32', shape: ['R'] },
  }
  const weights = new Map<string, Weight>([['table', randomTensor(random, [VOCABULARY, D])]])
  const operators: Operator[] = [{ kind: 'embed', tokens: 'tokens', table: 'table', out: 'x0' }]
  for (const i of [0, 1]) {
    for (const name of [`x${i}`, `norm${i}`, `down${i}`, `x${i + 1}`]) values[name] = { dtype: 'f32', shape: ['T', D] }
    for (const name of [`gate${i}`, `up${i}`, `gated${i}`]) values[name] = { dtype: 'f32', shape: ['T', F] }
    weights.set(`n${i}`, randomTensor(random, [D]))
    for (const name of ['gate', 'up']) weights.set(`w.${name}${i}`, randomTensor(random, [F, D], 0.5))
    weights.set(`w.down${i}`, randomTensor(random, [D, F], 0.5))
    operators.push(
      { kind: 'rmsNorm', x: `x${i}`, weight: `n${i}`, eps: 1e-3, out: `norm${i}` },
      { kind: 'linear', x: `norm${i}`, weight: `w.gate${i}`, out: `gate${i}` },
      { kind: 'linear', x: `norm${i}`, weight: `w.up${i}`, out: `up${i}` },
      { kind: 'gate', gate: `gate${i}`, up: `up${i}`, activation: 'silu', out: `gated${i}` },
      { kind: 'linear', x: `gated${i}`, weight: `w.down${i}`, out: `down${i}` },
      { kind: 'add', a: `x${i}`, b: `down${i}`, out: `x${i + 1}` },
    )
  }
  operators.push(
    { kind: 'take', x: 'x2', rows: 'rows', out: 'last' },
    { kind: 'linear', x: 'last', weight: 'table', out: 'logits' },
    { kind: 'crossEntropy', logits: 'logits', targets: 'targets', out: 'loss' },
  )
  return { program: { values, operators, caches: [] }, weights }
}

/** Steps of different lengths, whose loss is that of the next tokens. */
export const samples = [
  [1, 5, 3, 5, 0],
  [10, 2, 2, 7],
  [4, 9, 1, 1, 6, 8],
].map((ids) => ({
  tokens: Uint32Array.from(ids.slice(0, -1)),
  position: 0,
  rows: Uint32Array.from(ids.slice(1), (_, row) => row),
  targets: Uint32Array.from(ids.slice(1)),
}))
