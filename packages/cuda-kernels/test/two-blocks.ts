import {
  createRandom,
  type Operator,
  type Policy,
  type Program,
  pairThresholds,
  rowWidth,
  THRESHOLDS,
  type ValueInfo,
  type Weight,
  type Weights,
} from '@dpllm/core'
import { randomBitPlanes, randomTensor } from '@dpllm/core/testing'

const [WIDTH, KV_WIDTH, FED, HEAD_DIM, VOCABULARY] = [32, 16, 48, 8, 50]

/**
 * Two blocks of a decoder with a select before each linear. Those of a block read an earlier residual under a norm of its
 * own, as asynchronous estimates do; o and down their own x unless `residual`.
 */
export function twoBlocks(residual: boolean): { program: Program; weights: Weights } {
  const random = createRandom(5)
  const values: Record<string, ValueInfo> = { tokens: { dtype: 'u32', shape: ['T'] }, rows: { dtype: 'u32', shape: ['R'] } }
  const weights = new Map<string, Weight>([['frequencies', randomTensor(random, [HEAD_DIM / 2])]])
  const operators: Operator[] = []
  const value = (name: string, width: number, rows: 'T' | 'R' = 'T') => {
    values[name] = { dtype: 'f32', shape: [rows, width] }
    return name
  }
  const norm = (out: string, x: string, weight: string) => {
    weights.set(weight, weights.get(weight) ?? randomTensor(random, [WIDTH]))
    operators.push({ kind: 'rmsNorm', x, weight, eps: 1e-5, out: value(out, WIDTH, values[x].shape[0] as 'T') })
    return out
  }
  const linear = (name: string, x: string, selectX: string, rows: number) => {
    weights.set(name, randomBitPlanes(weights.size, rows, rowWidth(values[x].shape)))
    values[`${name}.bits`] = { dtype: 'u8', shape: ['T'] }
    values[`${name}.estimate`] = { dtype: 'f32', shape: ['T'] }
    operators.push({ kind: 'select', x: selectX, weight: name, bits: `${name}.bits`, estimate: `${name}.estimate` })
    operators.push({ kind: 'linear', x, weight: name, bits: `${name}.bits`, out: value(name, rows) })
    return name
  }
  const rope = (x: string) => {
    const [, width] = values[x].shape
    const out = value(`${x}.rotated`, width as number)
    operators.push({ kind: 'rope', x, frequencies: 'frequencies', headDim: HEAD_DIM, scale: 1, out })
    return out
  }

  weights.set('embedding', randomTensor(random, [VOCABULARY, WIDTH]))
  operators.push({ kind: 'embed', tokens: 'tokens', table: 'embedding', out: value('x0', WIDTH) })
  let x = 'x0'
  let middle: string | undefined
  for (const layer of [0, 1]) {
    const at = (name: string) => `${name}${layer}`
    const attended = norm(at('attentionNorm'), x, at('w.attentionNorm'))
    const earlier = middle === undefined ? attended : norm(at('earlierAttentionNorm'), middle, at('w.attentionNorm'))
    const [q, k, v] = ['q', 'k', 'v'].map((n) => linear(at(n), attended, earlier, n === 'q' ? WIDTH : KV_WIDTH))
    const shape = { heads: 4, kvHeads: 2, headDim: HEAD_DIM, scale: 0.25 }
    const [rotatedQ, rotatedK] = [rope(q), rope(k)]
    operators.push({ kind: 'attention', q: rotatedQ, k: rotatedK, v, layer, ...shape, out: value(at('attention'), WIDTH) })
    const o = linear(at('o'), at('attention'), residual ? earlier : at('attention'), WIDTH)
    operators.push({ kind: 'add', a: x, b: o, out: value(at('middle'), WIDTH) })
    const earlierFed = norm(at('earlierMlpNorm'), x, at('w.mlpNorm'))
    middle = at('middle')
    const fed = norm(at('mlpNorm'), middle, at('w.mlpNorm'))
    const [gate, up] = ['gate', 'up'].map((n) => linear(at(n), fed, earlierFed, FED))
    operators.push({ kind: 'gate', gate, up, activation: 'silu', out: value(at('gated'), FED) })
    const down = linear(at('down'), at('gated'), residual ? earlierFed : at('gated'), WIDTH)
    x = value(at('out'), WIDTH)
    operators.push({ kind: 'add', a: middle, b: down, out: x })
  }
  operators.push({ kind: 'take', x, rows: 'rows', out: value('last', WIDTH, 'R') })
  weights.set('head', randomTensor(random, [VOCABULARY, WIDTH]))
  const normed = norm('norm', 'last', 'w.norm')
  operators.push({ kind: 'linear', x: normed, weight: 'head', out: value('logits', VOCABULARY, 'R') })
  return { program: { values, operators, caches: [{ width: KV_WIDTH }, { width: KV_WIDTH }] }, weights }
}

/** Probes for all selects, whose decisions between 3 and 6 bits turn from token to token. */
export function forkingPolicy(program: Program): Policy {
  const random = createRandom(3)
  const widths = program.operators.flatMap((op) => (op.kind === 'select' ? [rowWidth(program.values[op.x].shape)] : []))
  const thresholds = new Float32Array(widths.length * THRESHOLDS)
  for (let i = 0; i < widths.length; i++) thresholds.set(pairThresholds(3, 6, 0), i * THRESHOLDS)
  return { estimators: widths.map((width) => ({ kind: 'probe', weights: randomTensor(random, [width]), bias: 0 })), thresholds }
}
