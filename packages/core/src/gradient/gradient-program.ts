import { InvalidArgumentError } from '../errors.js'
import type { KlDivergence } from '../program/gradient-operators.js'
import { type CrossEntropy, type Operator, operands } from '../program/operators.js'
import type { Program } from '../program/program.js'
import { neededOperators } from '../program/prune.js'
import { accumulatorName, givenName, gradientName, type WeightGradient } from './names.js'
import { createReverse } from './reverse.js'
import { ruleOf } from './rules.js'

/** What a gradient program computes. */
export interface GradientOptions {
  /** The value that a crossEntropy or a klDivergence writes; what is differentiated is lossScale · Σ_r loss[r]. */
  readonly loss?: string
  /** Default 1, for the sum over rows; 1 / R for their mean (Hugging Face's loss, which Any-Precision LLM's Fisher is of). */
  readonly lossScale?: number
  /**
   * Values whose gradients steps give, as the inputs `given:NAME`: where another program goes on from these values to the
   * loss. Each adds to what comes from `loss`, if there is one.
   */
  readonly given?: readonly string[]
  /** Values whose gradients are wanted: they become the values `grad:NAME`. */
  readonly of?: readonly string[]
  /**
   * Weights whose gradient each step adds to the accumulator `MODE:NAME`: the gradient that the linears give that read it,
   * so that of a tied embedding it is the head's.
   */
  readonly weights?: readonly WeightGradient[]
}

/**
 * Reverse-mode differentiation of a program: what is needed of its operators, then their transposes from the last to the
 * first, one rule for each (`gradientRules`). The result runs on the same backends, in steps that start at position 0. The
 * gradient of a value with several readers is the sum of what each adds. Bits and a teacher's logits are constants.
 * @throws InvalidArgumentError for names that are not there or that the loss does not depend on, UnsupportedError where an
 * operator has no rule
 */
export function gradientProgram(program: Program, options: GradientOptions): Program {
  const { loss, lossScale = 1, given = [], of = [], weights = [] } = options
  if (loss === undefined && given.length === 0)
    throw new InvalidArgumentError('loss', 'a loss, or values whose gradients are given', loss)
  for (const name of [...given, ...of]) {
    if (program.values[name]?.dtype !== 'f32') throw new InvalidArgumentError('values', "names of the program's f32 values", name)
  }
  const lossOperator = loss === undefined ? undefined : lossOperatorOf(program, loss)
  const seeds = lossOperator ? [lossOperator.logits, ...given] : given
  const reached = operatorsBefore(program, seeds)
  const parts = [...seeds, ...reached.flatMap((op) => ruleOf(op).through(op))]
  for (const name of of) if (!parts.includes(name)) throw new InvalidArgumentError('of', 'values that the loss depends on', name)

  const to = createReverse(program, parts, weights)
  if (lossOperator) to.push(lossGradient(lossOperator, lossScale, to.part(lossOperator.logits)))
  for (const name of given) to.share(name, to.declare(givenName(name), name))
  for (const op of reached.reverse()) ruleOf(op).reverse(op, to)
  for (const wanted of weights) {
    if (!to.accumulators.some(({ name }) => name === accumulatorName(wanted)))
      throw new InvalidArgumentError('weights', 'weights of linears that the loss depends on', wanted.weight)
  }
  for (const name of of) {
    const found = to.of(name)
    // A gradient that is another value's, too: copied to the name that was asked for.
    if (found !== gradientName(name)) to.push({ kind: 'concat', xs: [found], out: to.declare(gradientName(name), name) })
  }

  const whole = {
    values: { ...program.values, ...to.values },
    operators: [...program.operators, ...to.operators],
    caches: program.caches,
    inputs: [...(program.inputs ?? []), ...given.map(givenName)],
    accumulators: [...(program.accumulators ?? []), ...to.accumulators],
  }
  return pruned(whole, [...(loss === undefined ? [] : [loss]), ...of.map(gradientName)])
}

/** Where gradients begin. */
type Loss = CrossEntropy | KlDivergence

function lossOperatorOf(program: Program, loss: string): Loss {
  const isLoss = (op: Operator): op is Loss => op.kind === 'crossEntropy' || op.kind === 'klDivergence'
  const found = program.operators.filter(isLoss).find(({ out }) => out === loss)
  if (found === undefined) throw new InvalidArgumentError('loss', 'a value that a crossEntropy or a klDivergence writes', loss)
  return found
}

function lossGradient(op: Loss, scale: number, out: string): Operator {
  if (op.kind === 'crossEntropy') return { kind: 'crossEntropyGradient', logits: op.logits, targets: op.targets, scale, out }
  return { kind: 'klDivergenceGradient', logits: op.logits, teacher: op.teacher, scale, out }
}

/** The operators through which `values` depend on anything, in order. */
function operatorsBefore(program: Program, values: readonly string[]): Operator[] {
  const wanted = new Set(values)
  return program.operators
    .toReversed()
    .filter((op) => {
      if (!operands(op).writes.some((name) => wanted.has(name))) return false
      for (const name of ruleOf(op).through(op)) wanted.add(name)
      return true
    })
    .reverse()
}

/** Without the operators, values and inputs that neither `outputs` nor accumulators need. */
function pruned(program: Program & Required<Pick<Program, 'inputs'>>, outputs: readonly string[]): Program {
  const operators = neededOperators(program, outputs).map((index) => program.operators[index])
  const used = new Set(operators.flatMap((op) => Object.values(operands(op)).flat()))
  return {
    ...program,
    values: Object.fromEntries(Object.entries(program.values).filter(([name]) => used.has(name))),
    operators,
    inputs: program.inputs.filter((name) => used.has(name)),
  }
}
