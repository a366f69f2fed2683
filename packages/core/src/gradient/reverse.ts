import { tableEntries } from '../bit-planes/weight.js'
import { InvalidArgumentError, UnsupportedError } from '../errors.js'
import type { MixedLinear } from '../program/gradient-operators.js'
import type { Linear, Operator } from '../program/operators.js'
import type { Accumulator, Program, ValueInfo } from '../program/program.js'
import { rowWidth } from '../program/shape-checks.js'
import { accumulatorName, gradientName, type WeightGradient } from './names.js'

/** A gradient program while its operators are written, from the loss back to the inputs. */
export interface Reverse {
  readonly operators: readonly Operator[]
  readonly values: Readonly<Record<string, ValueInfo>>
  readonly accumulators: readonly Accumulator[]
  push(op: Operator): void
  /** Declares a value of the shape of another. */
  declare(name: string, like: string): string
  /** Declares what one reader adds to the gradient of `value`, for an operator to write. */
  part(value: string): string
  /** Adds what is written already to the gradient of `value`. */
  share(value: string, part: string): void
  /** The gradient of a value, all of whose readers are reversed: the sum of its parts. */
  of(value: string): string
  /** Accumulates the gradient of a linear's weight, where it is wanted; `dy` is the gradient of what the linear writes. */
  accumulate(op: Linear | MixedLinear, dy: string): void
}

/**
 * @param parts values, each as often as its gradient is going to have parts
 * @param weights whose gradients are wanted
 */
export function createReverse(program: Program, parts: readonly string[], weights: readonly WeightGradient[]): Reverse {
  const operators: Operator[] = []
  const values: Record<string, ValueInfo> = {}
  const accumulators = new Map<string, Accumulator>()
  const partsOf = new Map<string, string[]>()
  const sums = new Map<string, string>()

  const width = (value: string) => rowWidth((values[value] ?? program.values[value]).shape)
  const declare = (name: string, like: string) => {
    if (program.values[name] !== undefined) throw new InvalidArgumentError('program', 'one without gradients', name)
    values[name] = program.values[like]
    return name
  }
  const share = (value: string, part: string) => {
    partsOf.set(value, [...(partsOf.get(value) ?? []), part])
  }
  const sum = (value: string) => {
    const [first, ...others] = partsOf.get(value) ?? []
    if (first === undefined) throw new UnsupportedError(`${value} is split off from what the loss depends on, but unused`)
    return others.reduce((a, b, i) => {
      const out = i === others.length - 1 ? gradientName(value) : `${gradientName(value)}:1-${i + 2}`
      operators.push({ kind: 'add', a, b, out: declare(out, value) })
      return out
    }, first)
  }

  return {
    operators,
    values,
    get accumulators() {
      return [...accumulators.values()]
    },
    push: (op) => operators.push(op),
    declare,
    part: (value) => {
      const only = parts.indexOf(value) === parts.lastIndexOf(value)
      const name = only ? gradientName(value) : `${gradientName(value)}:${(partsOf.get(value)?.length ?? 0) + 1}`
      share(value, declare(name, value))
      return name
    },
    share,
    of: (value) => {
      const name = sums.get(value) ?? sum(value)
      sums.set(value, name)
      return name
    },
    accumulate: (op, dy) => {
      const { weight, x } = op
      for (const wanted of weights) {
        if (wanted.weight !== weight) continue
        const into = accumulatorName(wanted)
        if (wanted.mode === 'tables') {
          if (op.kind === 'mixedLinear') throw new UnsupportedError(`tables of ${weight}: it is read at average bits`)
          accumulators.set(into, { name: into, shape: [width(dy), tableEntries(wanted)] })
          operators.push({ kind: 'accumulateTables', x, dy, weight, ...(op.bits === undefined ? {} : { bits: op.bits }), into })
          continue
        }
        if (wanted.mode === 'squares' && accumulators.has(into))
          throw new UnsupportedError(`squares of ${weight}: several linears read it, and the square of a sum is no sum`)
        accumulators.set(into, { name: into, shape: [width(dy), width(x)] })
        operators.push({ kind: 'accumulate', x, dy, mode: wanted.mode, into })
      }
    },
  }
}
