import { InvalidArgumentError, type Operator, type Program, type ValueInfo } from '@dpllm/core'

/** A program that also predicts from its residual stream, and the names of those predictions, f32 [R, V]. */
export interface LogitLens {
  readonly program: Program
  readonly logits: readonly string[]
}

/**
 * A decoder's program that sends further values of its residual stream, for the rows of a step, through the final norm and
 * the head (the logit lens; LSAQ's projection to the vocabulary). The operators are those of the model, so that any backend
 * runs it with the model's weights.
 * @param residuals names of values of the residual stream [T, D]; the last one's prediction is the model's own
 * @throws InvalidArgumentError if the program does not end in take, rmsNorm and a linear that writes `logits`, or lacks a value
 */
export function logitLens(program: Program, residuals: readonly string[]): LogitLens {
  const writer = <Kind extends Operator['kind']>(kind: Kind, out: string) => {
    const found = program.operators.find((op) => op.kind === kind && 'out' in op && op.out === out)
    if (found === undefined) throw new InvalidArgumentError('program', `one with ${kind} that writes ${out}`, 'none')
    return found as Extract<Operator, { kind: Kind }>
  }
  const head = writer('linear', 'logits')
  const norm = writer('rmsNorm', head.x)
  const take = writer('take', norm.x)
  const values: Record<string, ValueInfo> = { ...program.values }
  const operators = [...program.operators]
  const logits = residuals.map((x) => {
    if (program.values[x] === undefined) throw new InvalidArgumentError('residuals', "names of the program's values", x)
    if (x === take.x) return head.out
    const [taken, normed, out] = ['last', 'norm', 'logits'].map((name) => `lens.${x}.${name}`)
    values[taken] = values[take.out]
    values[normed] = values[norm.out]
    values[out] = values[head.out]
    operators.push({ ...take, x, out: taken }, { ...norm, x: taken, out: normed }, { ...head, x: normed, out })
    return out
  })
  return { program: { ...program, values, operators }, logits }
}

/** The residual stream of `decoderProgram` at its blocks' borders: [layers + 1], block i reads [i] and writes [i + 1]. */
export function blockResiduals(layers: number): string[] {
  return ['embedding', ...Array.from({ length: layers }, (_, i) => `layers.${i}.mlpResidual`)]
}
