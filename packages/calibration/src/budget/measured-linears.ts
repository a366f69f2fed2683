import { InvalidArgumentError, type Operator, type Program, UnsupportedError } from '@dpllm/core'
import { decoderProgram, type Model } from '@dpllm/runtime'
import { blockOf } from '../allocation/block-of.js'

/** A linear whose output errors are measured, as the model's program has it. */
export interface MeasuredLinear {
  readonly module: string
  /** Block of the decoder. */
  readonly block: number
  /** Its operator; `x` is the value that it reads, `out` the one that it writes. */
  readonly operator: Extract<Operator, { kind: 'linear' }>
  /** The value that a probe of it reads (`selectInputs: 'residual'`). */
  readonly feature: string
  readonly rows: number
  readonly cols: number
  /** Bit counts whose errors are wanted, `minBits` … `maxBits`. */
  readonly minBits: number
  readonly maxBits: number
  /** Bit count that stands for the original. */
  readonly mostBits: number
}

/** A program without select operators: every linear reads the most bits that are loaded. */
export function mostBitsProgram(program: Program): Program {
  const values = { ...program.values }
  const operators: Operator[] = []
  for (const op of program.operators) {
    if (op.kind === 'select') {
      delete values[op.bits]
      delete values[op.estimate]
    } else if (op.kind === 'linear') {
      const { bits: _, ...linear } = op
      operators.push(linear)
    } else {
      operators.push(op)
    }
  }
  return { ...program, values, operators }
}

/**
 * The model's program at its most bits, with the values that probes read, and its linears in the order of `model.linears`.
 * @param maxBits most bits that are wanted of each linear; default all that are loaded
 * @throws InvalidArgumentError for a model that is not quantized, or bits that it has not
 */
export function measuredProgram(
  model: Pick<Model, 'config' | 'linears' | 'directory'>,
  maxBits: readonly number[] = model.linears.map((linear) => linear.maxBits),
): { program: Program; linears: MeasuredLinear[] } {
  if (model.linears.length === 0) throw new InvalidArgumentError('model', 'a quantized model', model.directory)
  if (maxBits.length !== model.linears.length)
    throw new InvalidArgumentError('maxBits', `${model.linears.length} bit counts, one for each linear`, maxBits.length)
  const { program } = decoderProgram(model.config, { selectInputs: 'residual' })
  const linears = model.linears.map(({ module, rows, cols, minBits, maxBits: mostBits }, i): MeasuredLinear => {
    const most = maxBits[i]
    if (!(Number.isInteger(most) && most >= minBits && most <= mostBits))
      throw new InvalidArgumentError(`maxBits[${i}]`, `a whole number from ${minBits} to ${mostBits}, those of ${module}`, most)
    const weight = `${module}.weight`
    const select = program.operators.find((op) => op.kind === 'select' && op.weight === weight)
    const operator = program.operators.find((op) => op.kind === 'linear' && op.weight === weight)
    if (select?.kind !== 'select' || operator?.kind !== 'linear')
      throw new UnsupportedError(`${module}: the model's program has no linear of it whose bits are decided`)
    return { module, block: blockOf(module), operator, feature: select.x, rows, cols, minBits, maxBits: most, mostBits }
  })
  return { program: mostBitsProgram(program), linears }
}
