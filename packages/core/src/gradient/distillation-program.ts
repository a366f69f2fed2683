import { InvalidArgumentError } from '../errors.js'
import type { Program } from '../program/program.js'

/**
 * A model's program that compares what it predicts with a teacher (the unquantized model): steps give the teacher's logits
 * as the input `teacher` f32 [R, V], and `divergence` f32 [R] is the Kullback–Leibler divergence from them, in nats
 * (`KlDivergence`). It is a loss for `gradientProgram`.
 * @throws InvalidArgumentError if the program has no logits, or has values of these names
 */
export function distillationProgram(program: Program): Program {
  const { logits } = program.values
  if (logits === undefined) throw new InvalidArgumentError('program', 'one with the value logits', undefined)
  for (const name of ['teacher', 'divergence'])
    if (program.values[name] !== undefined) throw new InvalidArgumentError('program', 'one without a teacher', name)
  return {
    ...program,
    values: { ...program.values, teacher: logits, divergence: { dtype: 'f32', shape: ['R'] } },
    operators: [...program.operators, { kind: 'klDivergence', logits: 'logits', teacher: 'teacher', out: 'divergence' }],
    inputs: [...(program.inputs ?? []), 'teacher'],
  }
}
