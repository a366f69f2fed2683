import { type GradientOperator, gradientOperands, gradientWeights } from './gradient-operators.js'

/**
 * The operators of a program. Each reads and writes named values; shapes are in terms of T (tokens of this step),
 * R (rows whose logits are wanted) and constants. All values are f32 but for `tokens`, `positions`, `rows`,
 * `targets` (u32) and the bit counts (u8).
 */
export type Operator = ModelOperator | GradientOperator

/** The operators that models are written with. */
export type ModelOperator = Embed | RmsNorm | Linear | Select | Rope | Attention | Gate | Add | Split | Take | CrossEntropy

/** out[t] = table[tokens[t]]; tokens u32[T], table [V, D], out [T, D]. */
export interface Embed {
  readonly kind: 'embed'
  readonly tokens: string
  readonly table: string
  readonly out: string
}

/**
 * out = x / sqrt(mean(x²) + eps) · weight over runs of D = length of `weight` in the last axis, so that
 * x [T, D] is normalised per token and x [T, H·D] per head (QK norm).
 */
export interface RmsNorm {
  readonly kind: 'rmsNorm'
  readonly x: string
  readonly weight: string
  readonly eps: number
  readonly out: string
}

/**
 * out = x · weightᵀ + bias; x [T, K], weight [N, K] dense or bit-planes, bias [N], out [T, N].
 * A bit-plane weight is read, for row t, at bits[t] bits; without `bits`, at the most bits loaded.
 */
export interface Linear {
  readonly kind: 'linear'
  readonly x: string
  readonly weight: string
  readonly bias?: string
  readonly bits?: string
  readonly out: string
}

/**
 * Decides how many bits of `weight` each token reads: bits[t] = 3 + number of thresholds j with
 * not (e_t <= threshold_j), clamped to the bits loaded; e_t is the policy's estimate from x [T, D] (`Estimator`), where x
 * is what the linear reads, or an earlier value of any width D (DP-LLM §5.2: the decision is then there in time).
 * Writes bits u8[T] and the estimates f32[T].
 */
export interface Select {
  readonly kind: 'select'
  readonly x: string
  readonly weight: string
  readonly bits: string
  readonly estimate: string
}

/**
 * Rotary position embedding of the first 2·F values of every head, split halves (component i pairs with i + F):
 * angle of pair i at position p is p · frequencies[i]; sines and cosines are multiplied by `scale`.
 * `transposed` turns by minus the angle, with the same scale: dx of a rope.
 * x and out [T, H·headDim], frequencies f32[F].
 */
export interface Rope {
  readonly kind: 'rope'
  readonly x: string
  readonly frequencies: string
  readonly headDim: number
  readonly scale: number
  readonly transposed?: true
  readonly out: string
}

/**
 * Writes k, v of this step to the cache at their positions, then causal softmax attention of q over the cache:
 * q [T, H·d], k and v [T, Hkv·d], out [T, H·d]; query head h reads key head floor(h · Hkv / H).
 * With `window` w a token at position p sees positions p − w + 1 … p.
 */
export interface Attention {
  readonly kind: 'attention'
  readonly q: string
  readonly k: string
  readonly v: string
  /** Index of the cache layer; every attention has its own. */
  readonly layer: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** Factor on q·k, usually 1/√headDim. */
  readonly scale: number
  readonly window?: number
  readonly out: string
}

export type Activation = 'silu' | 'gelu' | 'geluTanh'

/** out = activation(gate) · up, element by element; all [T, F]. */
export interface Gate {
  readonly kind: 'gate'
  readonly gate: string
  readonly up: string
  readonly activation: Activation
  readonly out: string
}

/** out = a + b, element by element. */
export interface Add {
  readonly kind: 'add'
  readonly a: string
  readonly b: string
  readonly out: string
}

/** Cuts the last axis of x into consecutive parts, one per name in `outs`, of those values' widths. */
export interface Split {
  readonly kind: 'split'
  readonly x: string
  readonly outs: readonly string[]
}

/** out[r] = x[rows[r]]; x [T, D], rows u32[R], out [R, D]. */
export interface Take {
  readonly kind: 'take'
  readonly x: string
  readonly rows: string
  readonly out: string
}

/** out[r] = log Σ_v exp(logits[r, v]) − logits[r, targets[r]], in nats; logits [R, V], targets u32[R], out [R]. */
export interface CrossEntropy {
  readonly kind: 'crossEntropy'
  readonly logits: string
  readonly targets: string
  readonly out: string
}

/** Names of the values that an operator reads (weights excluded) and writes. */
export function operands(op: Operator): { reads: string[]; writes: string[] } {
  switch (op.kind) {
    case 'embed':
      return { reads: [op.tokens], writes: [op.out] }
    case 'rmsNorm':
      return { reads: [op.x], writes: [op.out] }
    case 'linear':
      return { reads: op.bits === undefined ? [op.x] : [op.x, op.bits], writes: [op.out] }
    case 'select':
      return { reads: [op.x], writes: [op.bits, op.estimate] }
    case 'rope':
      return { reads: [op.x], writes: [op.out] }
    case 'attention':
      return { reads: [op.q, op.k, op.v], writes: [op.out] }
    case 'gate':
      return { reads: [op.gate, op.up], writes: [op.out] }
    case 'add':
      return { reads: [op.a, op.b], writes: [op.out] }
    case 'split':
      return { reads: [op.x], writes: [...op.outs] }
    case 'take':
      return { reads: [op.x, op.rows], writes: [op.out] }
    case 'crossEntropy':
      return { reads: [op.logits, op.targets], writes: [op.out] }
    default:
      return gradientOperands(op)
  }
}

/** Names of the weights that an operator reads. */
export function weightsOf(op: Operator): string[] {
  switch (op.kind) {
    case 'embed':
      return [op.table]
    case 'rmsNorm':
      return [op.weight]
    case 'linear':
      return op.bias === undefined ? [op.weight] : [op.weight, op.bias]
    case 'select':
      return [op.weight]
    case 'rope':
      return [op.frequencies]
    case 'attention':
    case 'gate':
    case 'add':
    case 'split':
    case 'take':
    case 'crossEntropy':
      return []
    default:
      return gradientWeights(op)
  }
}
