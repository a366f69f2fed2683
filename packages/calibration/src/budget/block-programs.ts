import { gradientProgram, neededOperators, type Operator, operands, type Program, rowWidth, type ValueInfo } from '@dpllm/core'
import type { MeasuredLinear } from './measured-linears.js'

/**
 * Program that gives the gradients of what linears write, and besides these any value of `program`: the summed cross entropy
 * of a step's rows goes back only as far as the first of the linears.
 */
export function outputGradients(program: Program, linears: readonly MeasuredLinear[], values: readonly string[]): Program {
  const reverse = gradientProgram(program, { loss: 'loss', of: linears.map(({ operator }) => operator.out) })
  const missing = neededOperators(program, values)
    .map((index) => program.operators[index])
    .filter((op) => operands(op).writes.some((name) => reverse.values[name] === undefined))
  const names = missing.flatMap((op) => Object.values(operands(op)).flat())
  return {
    ...reverse,
    values: { ...reverse.values, ...Object.fromEntries(names.map((name) => [name, program.values[name]])) },
    operators: insertEarly(reverse.operators, missing),
  }
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

/** Program of linears alone: their x are inputs, and select operators decide their bits, in the order of `linears`. */
export function linearsProgram(program: Program, linears: readonly MeasuredLinear[]): Program {
  const inputs = [...new Set(linears.map(({ operator }) => operator.x))]
  const values: Record<string, ValueInfo> = {}
  const operators = linears.flatMap(({ operator, module }): Operator[] => {
    const { x, out, weight } = operator
    const [bits, estimate] = [`${module}.bits`, `${module}.estimate`]
    values[x] = program.values[x]
    values[out] = program.values[out]
    values[bits] = { dtype: 'u8', shape: ['T'] }
    values[estimate] = { dtype: 'f32', shape: ['T'] }
    // Without its bias, which no difference shows.
    return [
      { kind: 'select', x, weight, bits, estimate },
      { kind: 'linear', x, weight, bits, out },
    ]
  })
  return { values, operators, caches: [], inputs }
}

/**
 * Cuts linears into groups of whole blocks, for each of which the values of one step fit in `budget` bytes; a larger block is a
 * group of its own. The last blocks come first: the way back from the loss to them is short.
 * @param tokens of the step
 */
export function blockGroups(
  program: Program,
  linears: readonly MeasuredLinear[],
  tokens: number,
  budget: number,
): MeasuredLinear[][] {
  const blocks = new Map<number, MeasuredLinear[]>()
  for (const linear of linears) blocks.set(linear.block, [...(blocks.get(linear.block) ?? []), linear])
  const groups: MeasuredLinear[][] = []
  let room = 0
  for (const block of [...blocks.values()].reverse()) {
    const bytes = Float32Array.BYTES_PER_ELEMENT * tokens * widthOfValues(program, block)
    if (groups.length === 0 || bytes > room) {
      groups.push([])
      room = budget
    }
    groups[groups.length - 1].unshift(...block)
    room -= bytes
  }
  return groups
}

/** Of one token: what the linears and probes read, and of every output its gradient and its values at two bit counts. */
function widthOfValues(program: Program, linears: readonly MeasuredLinear[]): number {
  const read = new Set(linears.flatMap(({ operator, feature }) => [operator.x, feature]))
  const inputs = [...read].reduce((sum, name) => sum + rowWidth(program.values[name].shape), 0)
  return inputs + linears.reduce((sum, { rows }) => sum + 3 * rows, 0)
}
