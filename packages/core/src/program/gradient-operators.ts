import type { Activation } from './operators.js'

/**
 * Operators of gradient programs (`gradientProgram`): the transposes and derivatives of the others, and what calibration
 * reads from them. dX is the gradient of the loss with respect to X and has X's shape. Shapes as in operators.ts.
 */
export type GradientOperator =
  | LinearTransposed
  | RmsNormGradient
  | AttentionGradient
  | GateGradient
  | Concat
  | Put
  | CrossEntropyGradient
  | KlDivergence
  | KlDivergenceGradient
  | Accumulate
  | AccumulateTables
  | MixedLinear
  | MixedLinearTransposed
  | BitsGradient
  | TokenErrors

/** out[t] = Wᵀ dy[t]: dx of `linear`. dy [T, N], weight [N, K] dense or bit-planes read as `Linear` does, out [T, K]. */
export interface LinearTransposed {
  readonly kind: 'linearTransposed'
  readonly dy: string
  readonly weight: string
  readonly bits?: string
  readonly out: string
}

/**
 * dx of `rmsNorm` (Zhang and Sennrich 2019), per run of D = length of `weight`: with s = 1 / sqrt(mean(x²) + eps),
 * out = s · w∘dy − s³/D · x · Σ_j w_j dy_j x_j. x, dy and out [T, H·D].
 */
export interface RmsNormGradient {
  readonly kind: 'rmsNormGradient'
  readonly x: string
  readonly dy: string
  readonly weight: string
  readonly eps: number
  readonly out: string
}

/**
 * dq, dk, dv of `attention` (fields as there), the softmax P computed anew: dv = Pᵀ dy, dP = dy vᵀ,
 * dS = P ∘ (dP − Σ_p P dP), dq = scale · dS k, dk = scale · dSᵀ q; key heads sum over their query heads.
 * Sees the keys and values of this step only, so the step must start at position 0.
 */
export interface AttentionGradient {
  readonly kind: 'attentionGradient'
  readonly q: string
  readonly k: string
  readonly v: string
  readonly dy: string
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly scale: number
  readonly window?: number
  readonly dq: string
  readonly dk: string
  readonly dv: string
}

/** dGate = dy · up · activation′(gate) and dUp = dy · activation(gate), element by element; all [T, F]. */
export interface GateGradient {
  readonly kind: 'gateGradient'
  readonly gate: string
  readonly up: string
  readonly dy: string
  readonly activation: Activation
  readonly dGate: string
  readonly dUp: string
}

/** Joins the last axes of `xs` in order: the transpose of `split`. */
export interface Concat {
  readonly kind: 'concat'
  readonly xs: readonly string[]
  readonly out: string
}

/** out = 0, then out[rows[r]] += x[r]: the transpose of `take`. x [R, D], rows u32[R], out [T, D]. */
export interface Put {
  readonly kind: 'put'
  readonly x: string
  readonly rows: string
  readonly out: string
}

/**
 * out[r] = scale · (softmax(logits[r]) − onehot(targets[r])): the gradient of scale · Σ_r crossEntropy[r].
 * logits and out [R, V], targets u32[R].
 */
export interface CrossEntropyGradient {
  readonly kind: 'crossEntropyGradient'
  readonly logits: string
  readonly targets: string
  readonly scale: number
  readonly out: string
}

/**
 * out[r] = Σ_v P_v (log P_v − log Q_v) with Q = softmax(logits[r]) and P = softmax(teacher[r]): the Kullback–Leibler
 * divergence of what a model predicts from what its teacher does, in nats (distillation: Hinton, Vinyals and Dean 2015).
 * logits and teacher [R, V], out [R].
 */
export interface KlDivergence {
  readonly kind: 'klDivergence'
  readonly logits: string
  readonly teacher: string
  readonly out: string
}

/**
 * out[r] = scale · (softmax(logits[r]) − softmax(teacher[r])): the gradient of scale · Σ_r klDivergence[r] with respect to
 * the logits. logits, teacher and out [R, V].
 */
export interface KlDivergenceGradient {
  readonly kind: 'klDivergenceGradient'
  readonly logits: string
  readonly teacher: string
  readonly scale: number
  readonly out: string
}

/** What an accumulator adds up of a step's weight gradient G: G itself, or G∘G. */
export type AccumulateMode = 'sum' | 'squares'

/**
 * Adds this step's weight gradient G = dyᵀ x, as `mode` says, to the accumulator `into` f32 [N, K]; x [T, K], dy [T, N].
 * With one sample for each step, `sum` is LLM-MQ's gradient (times the samples) and `squares` the diagonal Fisher
 * (Any-Precision LLM's sensitivity: Σ over samples, not divided).
 */
export interface Accumulate {
  readonly kind: 'accumulate'
  readonly x: string
  readonly dy: string
  readonly mode: AccumulateMode
  /** Name of one of the program's accumulators. */
  readonly into: string
}

/**
 * Adds this step's gradient with respect to the entries of a bit-plane weight's tables to the accumulator `into`
 * f32 [N, 2^(maxBits + 1) − 2^seedBits]: a row's tables of all bit counts, fewest bits first. For every row t that reads b
 * bits, into[n, 2^b − 2^seedBits + code_b(n, k)] += dy[t, n] · x[t, k]; codes are constants. x [T, K], dy [T, N], weight
 * [N, K] bit-planes, `bits` as in `Linear`.
 */
export interface AccumulateTables {
  readonly kind: 'accumulateTables'
  readonly x: string
  readonly dy: string
  readonly weight: string
  readonly bits?: string
  /** Name of one of the program's accumulators. */
  readonly into: string
}

/**
 * out = (1 − f) W_low x + f W_high x + bias: a bit-plane weight read at an average of p bits, interpolated between the
 * bit counts around p (DP-LLM §4, eq. 1): low = ⌊p⌋, high = low + 1, f = p − low (`bitsAround`). p is the value
 * `averageBits` f32[1]; x [T, K], weight [N, K], out [T, N].
 */
export interface MixedLinear {
  readonly kind: 'mixedLinear'
  readonly x: string
  readonly weight: string
  readonly bias?: string
  readonly averageBits: string
  readonly out: string
}

/** out[t] = ((1 − f) W_low + f W_high)ᵀ dy[t]: dx of `mixedLinear`. dy [T, N], out [T, K]. */
export interface MixedLinearTransposed {
  readonly kind: 'mixedLinearTransposed'
  readonly dy: string
  readonly weight: string
  readonly averageBits: string
  readonly out: string
}

/**
 * out = Σ_t ⟨dy[t], (W_high − W_low) x[t]⟩: the gradient of `mixedLinear` with respect to its average bits (DP-LLM §4);
 * from above where p is whole. x [T, K], dy [T, N], out [1].
 */
export interface BitsGradient {
  readonly kind: 'bitsGradient'
  readonly x: string
  readonly dy: string
  readonly weight: string
  readonly averageBits: string
  readonly out: string
}

/**
 * out[t] = Σ_n (dy[t, n] ((W_high − W_low) x[t])_n)²: what reading `low` bits in place of `high` does to the loss at each token,
 * as far as the squares of gradients, the diagonal of the Hessian at the linear's outputs, tell. x [T, K], dy [T, N], out [T].
 */
export interface TokenErrors {
  readonly kind: 'tokenErrors'
  readonly x: string
  readonly dy: string
  readonly weight: string
  readonly low: number
  readonly high: number
  readonly out: string
}

/** `operands` of these operators. */
export function gradientOperands(op: GradientOperator): { reads: string[]; writes: string[] } {
  switch (op.kind) {
    case 'linearTransposed':
      return { reads: op.bits === undefined ? [op.dy] : [op.dy, op.bits], writes: [op.out] }
    case 'rmsNormGradient':
      return { reads: [op.x, op.dy], writes: [op.out] }
    case 'attentionGradient':
      return { reads: [op.q, op.k, op.v, op.dy], writes: [op.dq, op.dk, op.dv] }
    case 'gateGradient':
      return { reads: [op.gate, op.up, op.dy], writes: [op.dGate, op.dUp] }
    case 'concat':
      return { reads: [...op.xs], writes: [op.out] }
    case 'put':
      return { reads: [op.x, op.rows], writes: [op.out] }
    case 'crossEntropyGradient':
      return { reads: [op.logits, op.targets], writes: [op.out] }
    case 'klDivergence':
    case 'klDivergenceGradient':
      return { reads: [op.logits, op.teacher], writes: [op.out] }
    case 'accumulate':
      return { reads: [op.x, op.dy], writes: [] }
    case 'accumulateTables':
      return { reads: op.bits === undefined ? [op.x, op.dy] : [op.x, op.dy, op.bits], writes: [] }
    case 'mixedLinear':
      return { reads: [op.x, op.averageBits], writes: [op.out] }
    case 'mixedLinearTransposed':
      return { reads: [op.dy, op.averageBits], writes: [op.out] }
    case 'bitsGradient':
      return { reads: [op.x, op.dy, op.averageBits], writes: [op.out] }
    case 'tokenErrors':
      return { reads: [op.x, op.dy], writes: [op.out] }
  }
}

/** `weightsOf` these operators. */
export function gradientWeights(op: GradientOperator): string[] {
  switch (op.kind) {
    case 'linearTransposed':
    case 'rmsNormGradient':
    case 'accumulateTables':
    case 'mixedLinearTransposed':
    case 'bitsGradient':
    case 'tokenErrors':
      return [op.weight]
    case 'mixedLinear':
      return op.bias === undefined ? [op.weight] : [op.weight, op.bias]
    default:
      return []
  }
}
