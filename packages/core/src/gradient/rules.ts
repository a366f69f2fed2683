import { UnsupportedError } from '../errors.js'
import type { KlDivergence, MixedLinear } from '../program/gradient-operators.js'
import type { ModelOperator, Operator } from '../program/operators.js'
import type { Reverse } from './reverse.js'

/** How gradients pass through one kind of operator. */
export interface GradientRule<Op> {
  /** Values that results depend on differentiably; one that is read twice is there twice. */
  through(op: Op): readonly string[]
  /** Writes the operators that give each of these values its part, from the gradients of what `op` writes. */
  reverse(op: Op, to: Reverse): void
}

/** Operators that have a rule. */
export type DifferentiableOperator = ModelOperator | MixedLinear | KlDivergence

type Rules = {
  readonly [Kind in DifferentiableOperator['kind']]: GradientRule<Extract<DifferentiableOperator, { kind: Kind }>>
}

const noGradient: GradientRule<unknown> = { through: () => [], reverse: () => {} }

/** One rule for each operator. Weights are not values: gradients of theirs are accumulated where they are wanted. */
export const gradientRules: Rules = {
  // Tokens are integers, and so are bits: a decision is a constant of the step.
  embed: noGradient,
  select: noGradient,
  // The loss is where gradients begin (`gradientProgram`); nothing passes through it.
  crossEntropy: noGradient,
  klDivergence: noGradient,
  rmsNorm: {
    through: ({ x }) => [x],
    reverse: ({ x, weight, eps, out }, to) =>
      to.push({ kind: 'rmsNormGradient', x, dy: to.of(out), weight, eps, out: to.part(x) }),
  },
  linear: {
    through: ({ x }) => [x],
    reverse: (op, to) => {
      const { x, weight, bits } = op
      const dy = to.of(op.out)
      to.accumulate(op, dy)
      to.push({ kind: 'linearTransposed', dy, weight, ...(bits === undefined ? {} : { bits }), out: to.part(x) })
    },
  },
  mixedLinear: {
    through: ({ x, averageBits }) => [x, averageBits],
    reverse: (op, to) => {
      const { x, weight, averageBits } = op
      const dy = to.of(op.out)
      to.accumulate(op, dy)
      to.push({ kind: 'mixedLinearTransposed', dy, weight, averageBits, out: to.part(x) })
      to.push({ kind: 'bitsGradient', x, dy, weight, averageBits, out: to.part(averageBits) })
    },
  },
  rope: {
    through: ({ x }) => [x],
    reverse: ({ transposed, ...op }, to) =>
      to.push({ ...op, x: to.of(op.out), ...(transposed ? {} : { transposed: true }), out: to.part(op.x) }),
  },
  attention: {
    through: ({ q, k, v }) => [q, k, v],
    reverse: ({ layer: _, out, ...op }, to) => {
      const [dq, dk, dv] = [op.q, op.k, op.v].map(to.part)
      to.push({ ...op, kind: 'attentionGradient', dy: to.of(out), dq, dk, dv })
    },
  },
  gate: {
    through: ({ gate, up }) => [gate, up],
    reverse: ({ out, ...op }, to) =>
      to.push({ ...op, kind: 'gateGradient', dy: to.of(out), dGate: to.part(op.gate), dUp: to.part(op.up) }),
  },
  add: {
    through: ({ a, b }) => [a, b],
    reverse: ({ a, b, out }, to) => {
      to.share(a, to.of(out))
      to.share(b, to.of(out))
    },
  },
  split: {
    through: ({ x }) => [x],
    reverse: ({ x, outs }, to) => to.push({ kind: 'concat', xs: outs.map(to.of), out: to.part(x) }),
  },
  take: {
    through: ({ x }) => [x],
    reverse: ({ x, rows, out }, to) => to.push({ kind: 'put', x: to.of(out), rows, out: to.part(x) }),
  },
}

/** @throws UnsupportedError for an operator that has none */
export function ruleOf(op: Operator): GradientRule<Operator> {
  const rule = (gradientRules as Readonly<Record<string, unknown>>)[op.kind]
  if (rule === undefined) throw new UnsupportedError(`gradients do not pass through the ${op.kind} operator`)
  return rule as GradientRule<Operator>
}
