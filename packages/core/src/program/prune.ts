import { InvalidArgumentError } from '../errors.js'
import { type Operator, operands } from './operators.js'
import type { Program } from './program.js'

/**
 * Indices, ascending, of the operators that `outputs` need. What outlives the step is kept even when nothing reads a
 * result, with all that it needs: attention, which writes the cache that later steps read, and what adds to
 * accumulators.
 */
export function neededOperators(program: Program, outputs: readonly string[]): number[] {
  for (const name of outputs) {
    if (program.values[name] === undefined) throw new InvalidArgumentError('outputs', "names of the program's values", name)
  }
  const wanted = new Set(outputs)
  const needed: number[] = []
  for (let i = program.operators.length - 1; i >= 0; i--) {
    const op = program.operators[i]
    const { reads, writes } = operands(op)
    if (outlivesStep(op) || writes.some((name) => wanted.has(name))) {
      needed.push(i)
      for (const name of reads) wanted.add(name)
    }
  }
  return needed.reverse()
}

function outlivesStep({ kind }: Operator): boolean {
  return kind === 'attention' || kind === 'accumulate' || kind === 'accumulateTables'
}

/** For every value, the index in `order` of the last operator that reads it; values of `outputs` live to the end. */
export function lastReads(program: Program, order: readonly number[], outputs: readonly string[]): Map<string, number> {
  const last = new Map<string, number>()
  order.forEach((index, i) => {
    for (const name of operands(program.operators[index]).reads) last.set(name, i)
  })
  for (const name of outputs) last.set(name, order.length)
  return last
}
