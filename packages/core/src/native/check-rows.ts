import { InvalidArgumentError } from '../errors.js'
import { type Operator, operands } from '../program/operators.js'
import type { Program, ValueInfo } from '../program/program.js'

/** Values of an operator that must have the same rows: T, R, or those of the first one. */
type RowGroup = { readonly rows: 'T' | 'R' | 'same'; readonly names: readonly (string | undefined)[] }

/**
 * Native code reads and writes as many rows as a value's first dimension says: checks that those of every operator's
 * values agree, and all types. Widths, and the rows of gradient operators' floats, are core's `checkProgram`'s part.
 * @throws InvalidArgumentError naming the operator
 */
export function checkRows(program: Program): void {
  for (const [i, op] of program.operators.entries()) {
    const where = `operators[${i}] (${op.kind})`
    for (const { rows, names } of rowGroups(op)) {
      const given = names.filter((name) => name !== undefined)
      const wanted = rows === 'same' ? program.values[given[0]]?.shape[0] : rows
      for (const name of given) {
        const found = program.values[name]?.shape[0]
        if (found !== wanted) throw new InvalidArgumentError(`${where}: rows of ${name}`, String(wanted), found)
      }
    }
    const integers = new Map(integersOf(op))
    for (const name of Object.values(operands(op)).flat()) {
      const wanted = integers.get(name) ?? 'f32'
      const found = program.values[name]?.dtype
      if (found !== wanted) throw new InvalidArgumentError(`${where}: ${name}`, `dtype ${wanted}`, found)
    }
  }
}

function rowGroups(op: Operator): RowGroup[] {
  switch (op.kind) {
    case 'embed':
      return [{ rows: 'T', names: [op.tokens, op.out] }]
    case 'rmsNorm':
      return [{ rows: 'same', names: [op.x, op.out] }]
    case 'linear':
      return [{ rows: 'same', names: [op.x, op.bits, op.out] }]
    case 'select':
      return [{ rows: 'T', names: [op.x, op.bits, op.estimate] }]
    case 'rope':
      return [{ rows: 'T', names: [op.x, op.out] }]
    case 'attention':
      return [{ rows: 'T', names: [op.q, op.k, op.v, op.out] }]
    case 'gate':
      return [{ rows: 'same', names: [op.gate, op.up, op.out] }]
    case 'add':
      return [{ rows: 'same', names: [op.a, op.b, op.out] }]
    case 'split':
      return [{ rows: 'same', names: [op.x, ...op.outs] }]
    case 'take':
      return [
        { rows: 'T', names: [op.x] },
        { rows: 'R', names: [op.rows, op.out] },
      ]
    case 'crossEntropy':
      return [{ rows: 'R', names: [op.logits, op.targets, op.out] }]
    case 'linearTransposed':
    case 'accumulateTables':
      return [{ rows: 'same', names: [op.dy, op.bits] }]
    case 'put':
      return [{ rows: 'R', names: [op.x, op.rows] }]
    case 'crossEntropyGradient':
      return [{ rows: 'R', names: [op.logits, op.targets] }]
    default:
      return []
  }
}

/** Values that are not f32. */
function integersOf(op: Operator): [name: string, dtype: ValueInfo['dtype']][] {
  switch (op.kind) {
    case 'embed':
      return [[op.tokens, 'u32']]
    case 'linear':
    case 'linearTransposed':
    case 'accumulateTables':
      return op.bits === undefined ? [] : [[op.bits, 'u8']]
    case 'select':
      return [[op.bits, 'u8']]
    case 'take':
    case 'put':
      return [[op.rows, 'u32']]
    case 'crossEntropy':
    case 'crossEntropyGradient':
      return [[op.targets, 'u32']]
    default:
      return []
  }
}
