import { InvalidArgumentError } from '../errors.js'
import type { Operator } from '../program/operators.js'
import type { Program } from '../program/program.js'
import { rowWidth } from '../program/shape-checks.js'
import type { CheckedStep } from './step.js'

/** Elements of a value in a step of `tokens` tokens, `rows` of which go on. */
export function elementsOf(program: Program, name: string, tokens: number, rows: number): number {
  const { shape } = program.values[name]
  const [first = 1] = shape
  return (first === 'T' ? tokens : first === 'R' ? rows : first) * rowWidth(shape)
}

/** Whether `checkStepInputs` has anything to check of an operator: backends that run many steps keep the others out of `order`. */
export function checksInputs({ kind }: Operator): boolean {
  return kind === 'attentionGradient' || kind === 'crossEntropy' || kind === 'crossEntropyGradient'
}

/**
 * Checks what a step gives to the operators that will run: inputs of the declared sizes, targets within the logits, and
 * for gradients a sequence from its beginning.
 * @param order indices of the operators that the step's outputs need
 * @throws InvalidArgumentError
 */
export function checkStepInputs(step: CheckedStep, program: Program, order: readonly number[]): void {
  for (const name of program.inputs ?? []) {
    const wanted = elementsOf(program, name, step.tokens.length, step.rows.length)
    const found = step.inputs?.[name]?.length
    if (found !== wanted) throw new InvalidArgumentError(`inputs.${name}`, `${wanted} values`, found)
  }
  for (const index of order) {
    const op = program.operators[index]
    if (op.kind === 'attentionGradient' && step.position !== 0)
      throw new InvalidArgumentError('position', '0, as gradients see the keys and values of one step only', step.position)
    if (op.kind !== 'crossEntropy' && op.kind !== 'crossEntropyGradient') continue
    if (step.targets === undefined) throw new InvalidArgumentError('targets', 'one id for each of rows', undefined)
    const classes = rowWidth(program.values[op.logits].shape)
    for (const target of step.targets)
      if (target >= classes) throw new InvalidArgumentError('targets', `ids below ${classes}`, target)
  }
}
