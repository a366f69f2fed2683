import { checkBitPlaneWeight } from '../bit-planes/weight.js'
import { InvalidArgumentError } from '../errors.js'
import { elementCount } from '../tensor.js'
import { checkGradientShapes } from './check-gradient.js'
import { type Operator, operands, weightsOf } from './operators.js'
import { type Program, programInputs } from './program.js'
import { createShapeChecks } from './shape-checks.js'
import { isBitPlanes, type Weights } from './weights.js'

/**
 * Checks that a program is well formed and that its weights are there with fitting shapes, so that backends need
 * not: every value is declared, written once and before it is read, and every operator's shapes agree.
 * @throws InvalidArgumentError naming the operator
 */
export function checkProgram(program: Program, weights: Weights): void {
  checkDeclarations(program)
  const given = programInputs.filter((name) => program.values[name] !== undefined)
  const written = new Set<string>([...given, ...(program.inputs ?? [])])
  const checked = new Set<string>()
  const layers = new Set<number>()
  program.operators.forEach((op, index) => {
    const where = `operators[${index}] (${op.kind})`
    const { reads, writes } = operands(op)
    for (const name of reads)
      if (!written.has(name)) throw new InvalidArgumentError(where, 'values written before they are read', name)
    for (const name of writes) {
      if (program.values[name] === undefined) throw new InvalidArgumentError(where, 'declared values', name)
      if (written.has(name)) throw new InvalidArgumentError(where, 'every value to be written once', name)
      written.add(name)
    }
    for (const name of weightsOf(op)) {
      const weight = weights.get(name)
      if (weight === undefined) throw new InvalidArgumentError(where, `weight ${name}`, 'no such weight')
      if (checked.has(name)) continue
      checked.add(name)
      if (isBitPlanes(weight)) checkBitPlaneWeight(name, weight)
      else if (weight.data.length !== elementCount(weight.shape)) {
        throw new InvalidArgumentError(name, `${elementCount(weight.shape)} elements`, weight.data.length)
      }
    }
    if (op.kind === 'attention') {
      if (layers.has(op.layer)) throw new InvalidArgumentError(where, 'a cache layer of its own', op.layer)
      layers.add(op.layer)
    }
    checkShapes(where, op, program, weights)
  })
}

/** Inputs are declared f32 values, accumulators have names of their own and a size. */
function checkDeclarations({ values, inputs = [], accumulators = [] }: Program): void {
  for (const name of inputs) {
    const found = values[name]?.dtype
    if (found !== 'f32') throw new InvalidArgumentError(`input ${name}`, 'a declared f32 value', found)
  }
  const names = new Set<string>()
  for (const { name, shape } of accumulators) {
    if (names.has(name)) throw new InvalidArgumentError('accumulators', 'names that differ', name)
    names.add(name)
    if (!shape.every((d) => Number.isInteger(d) && d > 0))
      throw new InvalidArgumentError(`accumulator ${name}`, '[rows, cols], positive integers', `[${shape}]`)
  }
}

function checkShapes(where: string, op: Operator, program: Program, weights: Weights): void {
  const checks = createShapeChecks(where, program, weights)
  const { width, rows, shape, same, dense, bitPlanes } = checks
  switch (op.kind) {
    case 'embed':
      dense(op.table)
      same('width of out', width(op.out), shape(op.table)[1])
      break
    case 'rmsNorm':
      dense(op.weight)
      same('width of out', width(op.out), width(op.x))
      same('width of x modulo weight', width(op.x) % shape(op.weight)[1], 0)
      break
    case 'linear':
      same('width of x', width(op.x), shape(op.weight)[1])
      same('width of out', width(op.out), shape(op.weight)[0])
      if (op.bias !== undefined) {
        dense(op.bias)
        same('length of bias', shape(op.bias)[1], shape(op.weight)[0])
      }
      break
    case 'select':
      // Of x any width goes: `checkEstimators` knows what an estimator needs.
      bitPlanes(op.weight)
      break
    case 'rope':
      dense(op.frequencies)
      same('width of out', width(op.out), width(op.x))
      same('width of x modulo headDim', width(op.x) % op.headDim, 0)
      if (2 * shape(op.frequencies)[1] > op.headDim) same('frequencies', shape(op.frequencies)[1], op.headDim / 2)
      break
    case 'attention':
      same('heads modulo kvHeads', op.heads % op.kvHeads, 0)
      same('width of q', width(op.q), op.heads * op.headDim)
      same('width of k', width(op.k), op.kvHeads * op.headDim)
      same('width of v', width(op.v), op.kvHeads * op.headDim)
      same('width of out', width(op.out), op.heads * op.headDim)
      same('width of the cache', program.caches[op.layer]?.width, op.kvHeads * op.headDim)
      break
    case 'gate':
      same('width of up', width(op.up), width(op.gate))
      same('width of out', width(op.out), width(op.gate))
      break
    case 'add':
      same('width of b', width(op.b), width(op.a))
      same('width of out', width(op.out), width(op.a))
      break
    case 'split':
      same(
        'sum of the widths of outs',
        op.outs.reduce((n, name) => n + width(name), 0),
        width(op.x),
      )
      break
    case 'take':
      same('width of out', width(op.out), width(op.x))
      same('rows of out', rows(op.out), 'R')
      break
    case 'crossEntropy':
      same('rows of logits', rows(op.logits), 'R')
      break
    default:
      checkGradientShapes(op, program, checks)
  }
}
