import { gradientName, gradientProgram, neededOperators, type Operator, operands, type Program } from '@dpllm/core'
import type { MeasuredLinear } from './measured-linears.js'

/** Name of the value f32[T] with a linear's errors at a bit count. */
export function errorsName(module: string, bits: number): string {
  return `${module}.errors.${bits}`
}

/**
 * Program that measures a step's output errors: the summed cross entropy of its rows goes back as far as the first of the
 * linears, and where a linear's input and its output's gradient have met, its errors at every bit count below the most are taken
 * from them (`errorsName`), so that nothing larger outlives the linear.
 * @param program of the model at its most bits
 */
export function errorProgram(program: Program, linears: readonly MeasuredLinear[]): Program {
  const reverse = gradientProgram(program, { loss: 'loss', of: linears.map(({ operator }) => operator.out) })
  const read = new Set(linears.flatMap(({ operator, feature }) => [operator.x, feature]))
  const missing = neededOperators(program, [...read])
    .map((index) => program.operators[index])
    .filter((op) => operands(op).writes.some((name) => reverse.values[name] === undefined))
  const names = missing.flatMap((op) => Object.values(operands(op)).flat())
  const errors = linears.flatMap(errorOperators)
  return {
    ...reverse,
    values: {
      ...reverse.values,
      ...Object.fromEntries(names.map((name) => [name, program.values[name]])),
      ...Object.fromEntries(errors.map(({ out }) => [out, { dtype: 'f32', shape: ['T'] }])),
    },
    operators: insertEarly(insertEarly(reverse.operators, missing), errors),
  }
}

function errorOperators({ module, operator, minBits, maxBits, mostBits }: MeasuredLinear) {
  const { x, out, weight } = operator
  const count = Math.min(maxBits, mostBits - 1) - minBits + 1
  return Array.from({ length: count }, (_, i) => {
    const low = minBits + i
    const dy = gradientName(out)
    return { kind: 'tokenErrors' as const, x, dy, weight, low, high: mostBits, out: errorsName(module, low) }
  })
}

/** Inserts operators, each as soon as what it reads is there, so that no value is kept for long. */
function insertEarly(operators: readonly Operator[], added: readonly Operator[]): Operator[] {
  const all = [...operators]
  for (const op of added) {
    const { reads } = operands(op)
    const after = all.findLastIndex((other) => operands(other).writes.some((name) => reads.includes(name)))
    all.splice(after + 1, 0, op)
  }
  return all
}
